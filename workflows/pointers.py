"""JSON pointers (RFC 6901), and where in a document a validation error lies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic_core import ErrorDetails

from workflows.known_fields import fields_at
from workflows.suggestions import nearest
from workflows.validation_messages import UNSEEN, message_of_any, shown

MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a request, and where: a JSON pointer (RFC 6901), or the name of a
    parameter beside the body, for which the pointer is empty. ``line`` is that of the text that
    stands there, where it is about one: from 1 on."""

    pointer: str
    message: str
    parameter: str | None = None
    line: int | None = None


class RefusedSince(Problem):
    """What was taken in the past, and works as it did where it was: it is refused only of what is
    new."""


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
    errors: Sequence[ErrorDetails], document: object, *, skip: int = 0, model: Any = None
) -> list[Problem]:
    """Errors of pydantic as problems of the document, each place once, at most fifty.

    The first ``skip`` parts of an error's location come before the document. With the ``model``
    that it was read as, an unknown field is told which ones there are.
    """
    found: dict[_Place, list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(tuple(_steps(error, error["loc"][skip:], document)), []).append(error)
    # Of a union, the members that were not meant complain about the whole of the value; and a list
    # about its length, of whose items one was refused.
    wholes = {place[:length] for place in found for length in range(len(place))}
    meant = {
        place: left
        for place, each in found.items()
        if (left := [item for item in each if not (place in wholes and _is_of_whole(item))])
    }
    problems = (
        Problem(pointer(place), _message(each, place, document, model))
        for place, each in meant.items()
        if not _is_misspelt(each, place, meant, model)
    )
    return list(islice(problems, MAX_PROBLEMS))


_Place = tuple[str | int, ...]


def _is_of_whole(error: ErrorDetails) -> bool:
    return error["type"].endswith("_type") or error["type"] == "too_short"


def _is_misspelt(
    errors: Sequence[ErrorDetails],
    place: _Place,
    found: Mapping[_Place, Sequence[ErrorDetails]],
    model: Any,
) -> bool:
    """Whether a field is missing only because its name is misspelt, which is told already."""
    if errors[0]["type"] != "missing" or model is None:
        return False
    beside = [
        str(other[-1])
        for other, each in islice(found.items(), MAX_PROBLEMS)
        if other[:-1] == place[:-1] and each[0]["type"] == "extra_forbidden"
    ]
    known = fields_at(model, place[:-1]) if beside else ()
    return any(nearest(name, known) == place[-1] for name in beside)


def _message(errors: Sequence[ErrorDetails], place: _Place, document: object, model: Any) -> str:
    kind = errors[0]["type"]
    if kind == "missing" and place:
        return f"the field {shown(str(place[-1]))} is required"
    known = fields_at(model, place[:-1]) if kind == "extra_forbidden" and model is not None else ()
    value = UNSEEN if kind == "missing" else value_at(document, place)
    return message_of_any(errors, value, known)


def value_at(document: object, place: Sequence[str | int]) -> object:
    """What is there; ``UNSEEN`` where nothing is."""
    at: Any = document
    for part in place:
        in_object = isinstance(at, Mapping) and part in at
        if not in_object and not (isinstance(at, (list, tuple)) and isinstance(part, int)):
            return UNSEEN
        at = at[part]
    return at


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
