"""What a tool of the house gives, as text of a bounded size."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from activities.tools.context import ToolContext, ToolResult
from activities.tools.own.code import shown_place
from activities.tools.own.errors import ToolResultTooLarge, ToolResultUnwritable
from activities.tools.signatures import place_of
from activities.units import MEBIBYTE

# A character of text is up to so many bytes in UTF-8.
_BYTES_OF_A_CHARACTER = 4
# What is nested deeper is refused when it is written.
_MAX_DEPTH = 255
_PARTED = (dict, list, tuple, set, frozenset)


def written(function: Callable[..., Any], returned: object, most_bytes: int) -> ToolResult:
    """The result that a function has returned; what is no text is written as JSON.

    That keeps the interpreter until it is done, in whichever thread: so it is done to what is
    known to be small enough.

    Raises:
        ToolResultTooLarge: it is not.
        ToolResultUnwritable: it is no JSON.
    """
    if isinstance(returned, str):
        return ToolResult(returned)
    if returned is None:
        return ToolResult("")
    if _is_larger(returned, most_bytes):
        raise _too_large(function.__name__, most_bytes)
    try:
        return ToolResult(to_json(returned, inf_nan_mode="strings").decode())
    except PydanticSerializationError as error:
        file, _, line = place_of(function).rpartition(":")
        raise ToolResultUnwritable(
            tool=function.__name__, place=shown_place(file, line), kind=type(returned).__name__
        ) from error


def bounded(tool: str, result: ToolResult, most_bytes: int) -> ToolResult:
    """The result, unless it is larger. Raises ``ToolResultTooLarge``."""
    size = len(result.text)
    if size <= most_bytes < size * _BYTES_OF_A_CHARACTER:
        size = len(result.text.encode("utf-8", "replace"))
    if size > most_bytes:
        raise _too_large(tool, most_bytes)
    return result


def most_bytes_of(context: ToolContext) -> int:
    """As many as a script may print."""
    return context.equipment.scripts.limits(0).printed_bytes


def _too_large(tool: str, most_bytes: int) -> ToolResultTooLarge:
    return ToolResultTooLarge(tool=tool, limit_mib=f"{most_bytes / MEBIBYTE:g}")


def _is_larger(returned: object, most_bytes: int) -> bool:
    """Whether it is sure to be larger as JSON: each value takes a byte and a comma, a text as many
    more as it has characters. What a model takes is not known before."""
    left, open_ = most_bytes + 2, [iter((returned,))]
    while open_:
        for value in open_[-1]:
            left -= 2 + (len(value) if isinstance(value, str) else 0)
            if left < 0:
                return True
            if len(open_) <= _MAX_DEPTH and isinstance(value, _PARTED):
                open_.append(_parts_of(value))
                break
        else:
            open_.pop()
    return False


def _parts_of(value: Any) -> Iterator[object]:
    return chain(value.keys(), value.values()) if isinstance(value, dict) else iter(value)
