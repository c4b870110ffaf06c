"""What stands in a picture: names that anybody may have chosen, states, and lengths of time."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from workflows.open_values import Unknown
from workflows.states import Status

_WIDE = frozenset("WF")
_SIGNS: Mapping[str, str] = {
    Status.PENDING: "·",
    Status.QUEUED: "↻",
    Status.RUNNING: "▶",
    Status.WAITING: "?",
    Status.PAUSED: "‖",
    Status.COMPLETED: "✓",
    Status.FAILED: "✗",
    Status.BLOCKED: "✗",
    Status.CANCELLED: "■",
}


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


def sign(status: Status | Unknown) -> str:
    return _SIGNS.get(status, "?")


def state_class(status: Status | Unknown) -> str:
    """The class of a state; a newer server's state has that of none."""
    return f"is-{status.value}" if isinstance(status, Status) else "is-unknown"


def took(seconds: float) -> str:
    """``80 ms``, ``1.4 s``, ``3 m 05 s``, ``2 h 07 m``, ``3 d 04 h``."""
    if seconds < 0.9995:
        return f"{round(seconds * 1_000)} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60} m {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600:02} h"


def link_to(key: str) -> str:
    """The link that selects a step, call, turn or node."""
    return "?" + urlencode({"step": key}, errors="replace")


def seconds_between(start: datetime, end: datetime) -> float:
    # The clocks of the workers differ a little.
    return max(0.0, (end - start).total_seconds())
