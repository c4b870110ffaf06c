"""How calls answer: problem documents for each real status, and headers."""

from collections.abc import Iterable, Sequence
from typing import Any

from api.errors import (
    ForeignPage,
    HttpMalformed,
    InvalidRequest,
    KeyRefused,
    MediaTypeRefused,
    NotFound,
    OriginRefused,
    RequestRefused,
    RequestTimedOut,
    StrangerRefused,
    TooLarge,
    TooManyConnections,
)
from api.http.document.shapes import Schema, ref
from api.http.document.words import plain
from api.http.phrases import phrase_of
from api.http.problems import PROBLEM_TYPE
from api.wire.errors import BodyMalformed, TooManyValues
from workflows.errors import AgentOSError, BadInput, DiskFull, TemporaryFailure

PROBLEM = "Problem"

HEADERS: Schema = {
    "Accept-Ranges": (
        "string",
        "`bytes`: a part of the file can be asked for with `Range`.",
        "bytes",
    ),
    "Content-Disposition": (
        "string",
        "The name of the file, and whether a browser shows it.",
        "attachment; filename*=UTF-8''chart.png",
    ),
    "Content-Length": ("integer", "The number of bytes that follow.", 48213),
    "Content-Range": (
        "string",
        "Which bytes follow, and of how many; after a 416 how many there are.",
        "bytes 0-1023/48213",
    ),
    "ETag": (
        "string",
        "Names the content. Send it as `If-None-Match` or `If-Range`.",
        '"2c26b46b68ffc68ff99b453c1d304134"',
    ),
    "Location": (
        "string",
        "Where what was made is: an address, or a path of this server.",
        "/api/v1/tasks/0c9a7a56-3f4e-4d0e-9a36-6c1f0d0f8f11",
    ),
    "Retry-After": (
        "integer",
        "How many seconds to wait before the same request is sent again.",
        2,
    ),
    "WWW-Authenticate": ("string", "What is asked for: `Bearer`, an API key.", "Bearer"),
}

# What each call may answer, by its status: the name of the component, and the errors.
_SHARED: dict[int, tuple[str, tuple[type[AgentOSError], ...]]] = {
    400: ("BadRequest", (BodyMalformed, TooManyValues, HttpMalformed)),
    401: ("Unauthorized", (KeyRefused, StrangerRefused)),
    403: ("Forbidden", (OriginRefused, ForeignPage)),
    404: ("NotFound", (NotFound,)),
    408: ("RequestTimeout", (RequestTimedOut,)),
    413: ("ContentTooLarge", (TooLarge,)),
    415: ("UnsupportedMediaType", (MediaTypeRefused,)),
    422: ("UnprocessableContent", (InvalidRequest, BadInput)),
    503: ("ServiceUnavailable", (TemporaryFailure, DiskFull, TooManyConnections)),
}
_HEADERS_OF = {
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_ANY = "UnexpectedProblem"


def refusal(status: int, errors: Sequence[type[AgentOSError]]) -> Schema:
    """The answer of a call that ends with one of some errors, which all have this status."""
    _, shared = _SHARED.get(status, ("", ()))
    return _problem(status, tuple(dict.fromkeys((*errors, *shared))))


def shared_refusal(status: int | None = None) -> Schema:
    """The answer of any call that ends so; without a status, of one that nobody foresaw."""
    name = _ANY if status is None else _SHARED[status][0]
    return {"$ref": f"#/components/responses/{name}"}


def add_components(components: Schema) -> None:
    """What calls refer to."""
    components["responses"] = {
        name: _problem(status, errors) for status, (name, errors) in _SHARED.items()
    } | {_ANY: _unexpected()}
    components["headers"] = {name: _header(name) for name in HEADERS}


def headers(*names: str) -> Schema:
    """Of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(name: str) -> Schema:
    kind, words, example = HEADERS[name]
    return {"description": words, "schema": {"type": kind}, "example": example}


def _problem(status: int, errors: Iterable[type[AgentOSError]]) -> Schema:
    phrase = phrase_of(status)
    listed = [f"- `{error.code}`: {_message(error)}" for error in errors]
    example = {error.code: {"value": _example(status, error)} for error in errors}
    made: Schema = {
        "description": "\n".join((f"{phrase}. The `code` says why:", "", *listed)),
        "content": {PROBLEM_TYPE: {"schema": ref(PROBLEM), "examples": example}},
    }
    if names := _HEADERS_OF.get(status):
        made["headers"] = headers(*names)
    return made


def _unexpected() -> Schema:
    made = _problem(500, (AgentOSError,))
    words = "Any other problem, also one that is newer than the client. Its `code` says which."
    return {**made, "description": words}


def _message(error: type[AgentOSError]) -> str:
    """With a gap where it names something."""
    text = plain(error.__doc__ or "")
    for opened in text.split("{")[1:]:
        name, brace, _ = opened.partition("}")
        text = text.replace(f"{{{name}{brace}", "…")
    return "What was sent cannot be used, for the reason in `detail`." if text == "…." else text


def _example(status: int, error: type[AgentOSError]) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"urn:agentos:problem:{error.code}",
        "title": phrase_of(status),
        "status": status,
        "detail": _message(error),
        "code": error.code,
    }
    if issubclass(error, InvalidRequest):
        example["errors"] = [{"pointer": "/inputs/data", "message": "this field is required"}]
    return example


def statuses_of(errors: Iterable[type[RequestRefused]]) -> dict[int, list[type[RequestRefused]]]:
    """Errors by their status."""
    found: dict[int, list[type[RequestRefused]]] = {}
    for error in errors:
        found.setdefault(error.status, []).append(error)
    return found
