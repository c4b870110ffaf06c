"""Requests as a program has them: a model, or what that is in JSON, as a mapping."""

import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from api.client.errors import HeaderUnsendable, IdempotencyKeyBlank, RequestMistaken
from api.wire.responses.files import Artifact, File
from workflows.pointers import Problem, problems_in

Fields = Mapping[str, Any]
Key = str | uuid.UUID | None
Request = TypeVar("Request", bound=BaseModel)


def asked(kind: type[Request], given: Request | Fields) -> Request:
    """A request, checked before it is sent.

    Raises:
        RequestMistaken: the API would refuse it.
    """
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise mistaken("", f"a mapping or a {kind.__name__}", given)
    fields = plain(given)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise RequestMistaken(problems_in(found, fields, model=kind)) from error


def only_tried(kind: type[Request], given: Request | Fields) -> Request:
    """A request that is to do nothing, and to say what it would do. Raises as ``asked``."""
    return asked(kind, given).model_copy(update={"dry_run": True})


def worded(field: str, given: Request | Fields | str) -> Request | Fields:
    """A request of which a text is all that it says."""
    return {field: given} if isinstance(given, str) else given


def plain(given: object) -> Any:
    """What a program has put into a mapping, as JSON has it: a file that was uploaded or made is
    the reference to it. Raises ``RequestMistaken``."""
    try:
        return _plain(given)
    except RecursionError as error:
        reason = "it refers to itself, or is nested too deeply"
        raise RequestMistaken([Problem("", reason)]) from error


def _plain(given: object) -> Any:
    match given:
        case File():
            return f"file:{given.id}"
        case Artifact():
            return f"artifact:{given.id}"
        case BaseModel():
            return given.model_dump(mode="json", by_alias=True, exclude_unset=True)
        case Mapping():
            return {name: _plain(value) for name, value in given.items()}
        case list() | tuple():
            return [_plain(value) for value in given]
    return given


def mistaken(at: str, wanted: str, given: object) -> RequestMistaken:
    """The error for a value of another type."""
    return RequestMistaken(
        [Problem(at, f"it must be {wanted}, not of type {type(given).__name__}")]
    )


def keyed(key: Key) -> dict[str, str]:
    """The header that makes one of what is sent twice: under the key of the caller, or a new one.

    Raises:
        IdempotencyKeyBlank, HeaderUnsendable
    """
    if key is None:
        return {"Idempotency-Key": uuid.uuid4().hex}
    check_header("idempotency key", key)
    if not str(key).strip():
        raise IdempotencyKeyBlank
    return {"Idempotency-Key": str(key)}


def keyed_if_given(key: Key) -> dict[str, str]:
    """The header of a key that the caller has: what is only looked at needs none of its own. Raises
    as ``keyed``."""
    return {} if key is None else keyed(key)


def check_header(what: str, value: object) -> None:
    """Raises ``HeaderUnsendable``."""
    text = str(value) if isinstance(value, str | uuid.UUID) else "\n"
    if not text.isascii() or not text.isprintable():
        raise HeaderUnsendable(what=what)
