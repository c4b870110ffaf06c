"""JSON pointers (RFC 6901), and where in a document a validation error lies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import ErrorDetails

from workflows.validation_messages import message_of

MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a request, and where: a JSON pointer (RFC 6901)."""

    pointer: str
    message: str


def escaped(part: str) -> str:
    """One part of a pointer: ``a/b`` -> ``a~1b``."""
    return part.replace("~", "~0").replace("/", "~1")


def unescaped(part: str) -> str:
    """``a~1b`` -> ``a/b``."""
    return part.replace("~1", "/").replace("~0", "~")


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
        tuple(_steps(error, error["loc"][skip:], document)): error for error in reversed(errors)
    }
    # Of a union, the members that were not meant complain about the whole of the value.
    wholes = {place[:length] for place in found for length in range(len(place))}
    meant = (
        Problem(pointer(place), message_of(error))
        for place, error in reversed(found.items())
        if not (error["type"].endswith("_type") and place in wholes)
    )
    return list(islice(meant, MAX_PROBLEMS))


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
    # Of a body that is missing itself there is no place in it.
    if error["type"] == "missing" and location:
        yield location[-1]
