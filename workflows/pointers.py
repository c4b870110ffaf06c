"""JSON pointers (RFC 6901), and where in a document a validation error lies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

_MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a request, and where: a JSON pointer (RFC 6901)."""

    pointer: str
    message: str


def escaped(part: str) -> str:
    """One part of a pointer: ``a/b`` -> ``a~1b``."""
    return part.replace("~", "~0").replace("/", "~1")


def pointer(parts: Sequence[str | int]) -> str:
    """``("a/b", 0)`` -> ``/a~1b/0``."""
    return "".join(f"/{escaped(str(part))}" for part in parts)


def problems_in(
    errors: Sequence[ErrorDetails], document: object, *, skip: int = 0
) -> list[Problem]:
    """Errors of pydantic as problems of the document, each place once, at most fifty.

    The first ``skip`` parts of an error's location come before the document.
    """
    found = {
        pointer(tuple(_steps(error, error["loc"][skip:], document))): error
        for error in reversed(errors)
    }
    places = list(found)[::-1]
    return [
        Problem(place, _message(found[place]))
        for place in places
        # Of a union, the members that were not meant complain about the whole of the value.
        if not (found[place]["type"].endswith("_type") and _has_deeper(place, places))
    ][:_MAX_PROBLEMS]


def _has_deeper(place: str, places: Sequence[str]) -> bool:
    return any(other.startswith(f"{place}/") for other in places)


def _steps(
    error: ErrorDetails, location: Sequence[str | int], document: object
) -> Iterator[str | int]:
    """The parts of the error's location that are in the document: others name types of a union."""
    at: Any = document
    for part in location:
        in_object = isinstance(at, Mapping) and part in at
        if in_object or (isinstance(at, list) and isinstance(part, int) and part < len(at)):
            at = at[part]
            yield part
    if error["type"] == "missing":
        yield location[-1]


def _message(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")
