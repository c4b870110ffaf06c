"""How long the result of a step may be taken for that of an equal one."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

DEFAULT_LIFETIME = timedelta(hours=1)
MIN_LIFETIME = timedelta(seconds=1)
MAX_LIFETIME = timedelta(days=30)

_LIFETIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|m|h|d)?")
_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, None: 1.0}
_SHOWN_CHARACTERS = 40


def lifetime_of(value: object) -> timedelta | Literal[False]:
    """Read ``1h``, ``30d``, a number of seconds, or ``false``, which is no time at all.

    Raises:
        ValueError: it is none of these, or out of range.
    """
    if value is False or isinstance(value, timedelta):
        return value
    shown = repr(value)[:_SHOWN_CHARACTERS]
    is_written = isinstance(value, (str, int, float)) and value is not True
    match = _LIFETIME.fullmatch(str(value).strip()) if is_written else None
    if match is None:
        raise ValueError(f"{shown} is not how long to keep a result: write 1h, 7d or false")
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]]
    if not MIN_LIFETIME.total_seconds() <= seconds <= MAX_LIFETIME.total_seconds():
        raise ValueError(f"{shown} is out of range: at least 1s, at most 30d")
    return timedelta(seconds=seconds)


def _read(value: object) -> object:
    return value if value is None else lifetime_of(value)


def _written(value: timedelta | Literal[False] | None) -> str | Literal[False] | None:
    return f"{value.total_seconds():.11g}s" if isinstance(value, timedelta) else value


Lifetime = Annotated[
    timedelta | Literal[False] | None,
    BeforeValidator(_read),
    PlainSerializer(_written, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "number"}, {"const": False}, {"type": "null"}]}
    ),
]
"""``None``: what is run says it itself. ``False``: its result is neither kept nor taken."""
