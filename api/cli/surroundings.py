"""What the environment says of whoever sits here: their pager, and whether they have a browser.

It is no setting of ours, but what every program of a terminal goes by.
"""

import os
import shlex
import sys
from collections.abc import Sequence

# As git has it: colours are let through, and a text that fits is left on the screen.
_PAGER_OPTIONS = {"LESS": "FRX", "LV": "-c"}


def pager() -> Sequence[str] | None:
    """The command of the pager; None where there is to be none."""
    if os.environ.get("TERM", "") == "dumb":
        return None
    try:
        command = shlex.split(os.environ.get("PAGER", "less -R"))
    except ValueError:
        return None
    return command if command and command != ["cat"] else None


def pager_environment() -> dict[str, str]:
    """That of the pager, which has the last word about its options."""
    return {**_PAGER_OPTIONS, **os.environ}


def has_browser() -> bool:
    """Whether a browser would have a window: one in this terminal would be in the way."""
    if os.environ.get("BROWSER") or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
