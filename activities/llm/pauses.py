"""How long a server wants to be left alone, wherever it says so.

``Retry-After`` is the standard. OpenAI, Groq, Anthropic and OpenRouter tell when their limits are
reset, Gemini has the pause among the details of its error, and many only say it in words.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from activities.llm.error_words import words_of

MAX_RETRY_AFTER_SECONDS = 300.0

_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h)", re.IGNORECASE)
_SPAN = r"(?:\d+(?:\.\d+)? ?(?:ms|s|m|h))+"
# "Please try again in 1m12.5s", "retry after 9 seconds", "retryDelay": "37s" once it is text.
_IN_WORDS = re.compile(
    rf"(?:try again|retry|wait)\s+(?:in|after|for)\s+(?:({_SPAN})\b|(\d+(?:\.\d+)?) ?sec)",
    re.IGNORECASE,
)

# As seconds since 1970, a number this large is a moment after 2001; as a pause it makes no sense.
_FIRST_MOMENT_SECONDS = 1e9
_FIRST_MOMENT_MILLISECONDS = 1e12

_DEPTH = 6
_ITEMS = 10


def read_retry_after(headers: Mapping[str, str], body: object = None) -> float | None:
    """Seconds, at most ``MAX_RETRY_AFTER_SECONDS``; None when the server does not say. ``body`` is
    the parsed JSON of the refusal, or text."""
    seconds = _number(headers.get("retry-after-ms"))
    found = seconds / 1_000 if seconds is not None else None
    for text in (headers.get("retry-after"), *_delays(body, _DEPTH)):
        found = _seconds(text) if found is None else found
    if found is None:
        found = _in_words(words_of(body))
    if found is None:
        found = max((s for s in map(_seconds, _resets(headers)) if s is not None), default=None)
    return None if found is None else min(max(found, 0.0), MAX_RETRY_AFTER_SECONDS)


def _resets(headers: Mapping[str, str]) -> Iterator[str]:
    """When limits are reset of which nothing is left."""
    for name, value in headers.items():
        if "ratelimit" not in name.lower() or "reset" not in name.lower():
            continue
        left = next(
            (
                headers[other]
                for other in (name.replace("reset", "remaining"), f"{_stem(name)}-remaining")
                if other in headers
            ),
            "0",
        )
        if _number(left) in (0.0, None):
            yield value


def _stem(name: str) -> str:
    return name.removesuffix("-reset")


def _delays(value: object, depth: int) -> Iterator[str]:
    """The pauses in a body that have a field of their own."""
    if not depth:
        return
    if isinstance(value, dict):
        for name in ("retryDelay", "retry_after", "retry_after_seconds"):
            if isinstance(given := value.get(name), str | int | float):
                yield str(given)
        value = list(value.values())
    if isinstance(value, list):
        for item in value[:_ITEMS]:
            yield from _delays(item, depth - 1)


def _in_words(text: str) -> float | None:
    found = _IN_WORDS.search(text)
    if found is None:
        return None
    return _span(found[1]) if found[1] else _number(found[2])


def _seconds(text: str | None) -> float | None:
    """Of a number, a span such as ``1m30s``, or a moment."""
    if not text:
        return None
    number = _number(text)
    if number is None:
        span = _span(text.strip())
        return _until(text) if span is None else span
    if number < _FIRST_MOMENT_SECONDS:
        return number
    moment = number / 1_000 if number >= _FIRST_MOMENT_MILLISECONDS else number
    return moment - datetime.now(UTC).timestamp()


def _span(text: str) -> float | None:
    if not re.fullmatch(_SPAN, text, re.IGNORECASE):
        return None
    parts = _PART.findall(text)
    return sum(float(number) * _UNIT_SECONDS[unit.lower()] for number, unit in parts)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(date: str) -> float | None:
    moment = None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = moment or read(date)
        except ValueError:
            continue
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
