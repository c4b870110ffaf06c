"""Arguments of a call without what some models and servers put around them.

What is inside must be one sound object. Text that was cut off is never completed.
"""

import json
import re
from collections.abc import Mapping
from json import JSONDecoder

from pydantic import JsonValue

# Template tokens, fences and tags, at either end.
_MARK = r"<[^<>{}\[\]\"]{1,60}>|\[/?[A-Z_]{2,30}\]|```[A-Za-z0-9]{0,12}"
_BEFORE = re.compile(rf"(?>(?:\s|{_MARK})*)")
# Some models close one brace too many.
_AFTER = re.compile(rf"(?>(?:\s|{_MARK})*)(?:\}}(?>(?:\s|{_MARK})*))?\Z")

_ARGUMENTS = frozenset({"arguments", "parameters", "input", "args", "kwargs"})
_PARTS_OF_CALL = _ARGUMENTS | {"name", "tool", "function", "id", "type"}

_MAX_STRINGS = 3
_MAX_VALUES = 8

# Raw newlines in strings are not JSON, but there is no doubt what they mean.
_LENIENT = JSONDecoder(strict=False)


def unwrapped(arguments: str) -> str:
    """The object that the arguments are, as JSON; what is none is given back as it is."""
    if _is_object(arguments):
        return arguments
    found = _object_in(arguments, _MAX_STRINGS)
    return arguments if found is None else json.dumps(found, ensure_ascii=False)


def inner_arguments(arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """The arguments within a whole call that stands where they should, if it looks like one. They
    are meant only if they fit the tool and what is around them does not."""
    inner = [name for name in arguments if name in _ARGUMENTS]
    if len(inner) != 1 or not arguments.keys() <= _PARTS_OF_CALL:
        return None
    value = arguments[inner[0]]
    return value if isinstance(value, dict) else None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _object_in(text: str, strings: int) -> dict[str, object] | None:
    values = _values_in(text)
    if values is None:
        return None
    objects = [value for value in values if value not in ({}, None, "")]
    if not objects:
        # Nothing but "null", "{}" or an empty string, which is how some say "no arguments".
        return {} if values else None
    first = objects[0]
    if any(value != first for value in objects[1:]):
        return None
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    if isinstance(first, str) and strings:
        return _object_in(first, strings - 1)
    return first if isinstance(first, dict) else None


def _values_in(text: str) -> list[object] | None:
    """The JSON values that a text consists of, beside tokens; None when it holds anything else."""
    values: list[object] = []
    place = _end_of(_BEFORE, text, 0)
    while place < len(text) and not _AFTER.match(text, place):
        if len(values) >= _MAX_VALUES:
            return None
        try:
            value, place = _LENIENT.raw_decode(text, place)
        except (ValueError, RecursionError):
            return None
        values.append(value)
        place = _end_of(_BEFORE, text, place)
    return values


def _end_of(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
