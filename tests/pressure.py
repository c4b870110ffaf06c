"""How busy the machine is, for promises that are made in seconds."""

import re
from pathlib import Path

_MOST_SECONDS = 60.0


def allowed(seconds: float) -> float:
    """What a promise of so many seconds comes to while other work takes the processors.

    If somebody waited for a processor in half of the last ten seconds, as the kernel counts it, a
    thing may take twice as long.
    """
    try:
        counted = Path("/proc/pressure/cpu").read_text()
    except OSError:  # a kernel that does not count
        return seconds
    share = re.search(r"some avg10=([\d.]+)", counted)
    assert share
    free = 1 - float(share[1]) / 100
    return min(seconds / max(free, 0.01), _MOST_SECONDS)
