"""What stands in a picture: names that anybody may have chosen, states, and lengths of time."""

import unicodedata
from datetime import datetime
from urllib.parse import urlencode

_WIDE = frozenset("WF")


def plain(text: str) -> str:
    """One line, without what is not seen itself and yet changes how others are shown: controls,
    marks of direction, halves of surrogate pairs."""
    kept = (char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join("".join(kept).split())


def cut(text: str, most: int) -> str:
    """A ``plain`` text that is at most so many columns wide. Those of Chinese, say, take two."""
    shown = plain(text[: 8 * most])
    width = 0
    for index, char in enumerate(shown):
        width += _columns(char)
        if width > most:
            return _shortened(shown[:index], most) + "…"
    return f"{shown}…" if len(text) > 8 * most else shown


def _shortened(text: str, most: int) -> str:
    while text and sum(map(_columns, text)) >= most:
        text = text[:-1]
    return text


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def link_to(key: str) -> str:
    """The link that selects a step, call, turn or node."""
    return "?" + urlencode({"step": key}, errors="replace")


def seconds_between(start: datetime, end: datetime) -> float:
    # The clocks of the workers differ a little.
    return max(0.0, (end - start).total_seconds())
