"""Durations as people write them: ``90s``, ``5m``, ``1h``, or a number of seconds."""

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, None: 1.0}


def read_duration(value: object, least: timedelta, most: timedelta, bounds: str) -> object:
    """A duration as a ``timedelta``; what is neither text nor a number is left as it is.

    Raises:
        ValueError: it is none, or not between ``least`` and ``most``, which ``bounds`` says.
    """
    if not isinstance(value, (str, int, float)):
        return value
    shown = repr(value)[:40].lower() if isinstance(value, bool) else repr(value)[:40]
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{shown} is not a duration: write 90s, 5m, 1h or a number of seconds")
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]]
    # Compared before it is a timedelta, which holds only so many days.
    if not least.total_seconds() <= seconds <= most.total_seconds():
        raise ValueError(f"{shown} is out of range: {bounds}")
    return timedelta(seconds=seconds)


def shown_duration(value: timedelta) -> str:
    """``1h``: in the largest unit of which it is a whole number, as people write it. Not for what
    is kept or compared: ``duration_text`` writes that in one way from version to version."""
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        number, rest = divmod(seconds, _UNIT_SECONDS[unit])
        if number and not rest:
            return f"{number:.0f}{unit}"
    return duration_text(value)


def duration_text(value: timedelta) -> str:
    """``90s``, which is read as the same again."""
    return f"{value.total_seconds():.11g}s"
