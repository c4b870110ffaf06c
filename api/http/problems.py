"""Errors as problem documents (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from activities.off_loop import off_loop
from api.errors import (
    HeaderMalformed,
    InvalidRequest,
    KeyRefused,
    MethodNotAllowed,
    PageNotFound,
    RangeRefused,
    RequestRefused,
    RequestTimedOut,
    TooLarge,
)
from api.http.bodies import SentBody
from api.http.paths import is_page
from api.http.phrases import phrase_of
from api.wire.errors import BodyMalformed
from api.wire.located import Located
from api.wire.responses.base import API
from workflows.errors import AgentOSError, BadInput, DiskFull, TemporaryFailure
from workflows.pointers import MAX_PROBLEMS, Problem
from workflows.suggestions import nearest
from workflows.validation_messages import UNSEEN, message_of

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
# Whoever is refused so is told when to send the request again.
_PASSING = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_SHOWN_CHARACTERS = 200
_ALL_CALLS = "See /api/v1/openapi.json for all calls."

log = structlog.get_logger(__name__)


class ProblemPlace(BaseModel):
    """One thing that is wrong, and where: a JSON pointer into the request's body, or the name of a
    ``parameter`` of the query, the path or a header; then ``pointer`` is empty. ``line`` and
    ``column``, from 1, are there where the body is a text in YAML, or could not be read at all;
    ``step`` is the id of the step that it is about."""

    pointer: str
    message: str
    parameter: str | None = None
    line: int | None = None
    column: int | None = None
    step: str | None = None


class ProblemDocument(BaseModel):
    """``code`` is stable: clients may branch on it. ``detail`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemPlace] = Field(default=[])


def problem(
    error: AgentOSError,
    status: int,
    *,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    places: Sequence[Located] = (),
) -> Response:
    """The answer to a request that ended with an error. ``places`` are those of its problems."""
    document = ProblemDocument(
        type=f"urn:agentos:problem:{error.code}",
        title=phrase_of(status),
        status=status,
        detail=detail or str(error),
        code=error.code,
        errors=[ProblemPlace.model_validate(asdict(p)) for p in places or _unplaced(error)],
    )
    return Response(
        document.model_dump_json(exclude_defaults=True, exclude_none=True),
        status,
        headers=dict(headers or {}),
        media_type=PROBLEM_TYPE,
    )


def _unplaced(error: AgentOSError) -> Sequence[Located]:
    """What is wrong, where no text is at hand."""
    if isinstance(error, InvalidRequest):
        return [Located(p.pointer, p.message, parameter=p.parameter) for p in error.problems]
    if isinstance(error, BodyMalformed):
        line, column = int(str(error.fields["line"])), int(str(error.fields["column"]))
        return [Located("", str(error.fields["reason"]), line, column)]
    if isinstance(error, HeaderMalformed):
        reason, header = str(error.fields["reason"]), str(error.fields["header"])
        return [Located("", reason, parameter=header)]
    return ()


def answer(error: AgentOSError, places: Sequence[Located] = ()) -> Response:
    """The problem document of one of our own errors; ``places`` are those of its problems."""
    match error:
        case DiskFull():
            log.warning("http.unavailable", reason=str(error))
            detail = (
                f"The disk of {error.fields['service']} is full, so nothing was accepted. "
                "Try again once there is room on it."
            )
            return problem(
                error, 503, detail=detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
            )
        case TemporaryFailure():
            log.warning("http.unavailable", reason=str(error))
            service = error.fields.get("service")
            detail = f"{service} cannot be reached. Try again." if service else str(error)
            return problem(
                error, 503, detail=detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
            )
        case RequestRefused():
            return problem(error, error.status, headers=_headers_of(error), places=places)
        case BodyMalformed():
            return problem(error, 400)
        case BadInput():
            return problem(error, 422)
        case _:
            log.error("http.failed", reason=str(error))
            return problem(error, 500)


def _headers_of(error: RequestRefused) -> dict[str, str]:
    match error:
        case KeyRefused():
            return {"WWW-Authenticate": "Bearer"}
        case RangeRefused():
            return {"Content-Range": f"bytes */{error.fields['size']}"}
    if error.status in _PASSING:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def install(app: FastAPI) -> None:
    """Let every error of ``app`` leave as a problem document."""
    app.add_exception_handler(AgentOSError, _on_own_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_own_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AgentOSError)
    disk = request.app.state.services.disk
    if isinstance(error, TemporaryFailure) and disk is not None:
        # A service on a full disk stops, hangs or breaks off; that says less than the cause.
        error = disk.shortage or error
    sent = getattr(request.state, "sent", None)
    if not isinstance(error, InvalidRequest) or not isinstance(sent, SentBody):
        return answer(error)
    return answer(error, await off_loop(sent.located, error))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    """What is wrong with parameters: bodies are read by ``Body``."""
    assert isinstance(error, RequestValidationError)
    return answer(InvalidRequest([_of_parameter(item) for item in error.errors()[:MAX_PROBLEMS]]))


def _of_parameter(error: ErrorDetails) -> Problem:
    """All of a query is text: only where one of some names belongs does what was given matter."""
    where, name = map(str, error["loc"][:2])
    is_choice = error["type"] in ("enum", "literal_error")
    message = message_of(error, error["input"] if is_choice else UNSEEN)
    return Problem("", f"{where} {name}: {message}", name)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework refuses itself."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    match error.status_code:
        case 404:
            hint = await off_loop(_hint_for, request)
            return answer(PageNotFound(path=path[:_SHOWN_CHARACTERS], hint=hint))
        case 405:
            refused = MethodNotAllowed(path=path, method=request.method)
            return problem(
                refused, 405, headers={"Allow": ", ".join(await off_loop(_methods_at, request))}
            )
        case 413:
            return answer(TooLarge(limit=error.detail))
        case status:
            return problem(
                RequestRefused(reason=str(error.detail).rstrip(".")), status, headers=error.headers
            )


def _calls(request: Request) -> dict[str, list[str]]:
    """The methods of each path of the document, which is not made for this: it takes a second."""
    calls: dict[str, list[str]] = {}
    for context in iter_route_contexts(request.app.routes):
        if getattr(context, "include_in_schema", False):
            calls.setdefault(str(context.path_format), []).extend(context.methods or ())
    return calls


def _hint_for(request: Request) -> str:
    """Why there is nothing at a path, or what may have been meant by it."""
    given, paths = request.url.path.split("/"), _calls(request)
    for path in paths:
        parts = path.split("/")
        if len(parts) == len(given) and all(map(_may_be, parts, given)):
            return (
                "An id is a UUID, such as 0c9b1e0e-6d5f-4a7c-9d53-1f2a3b4c5d6e, as lists have it."
            )
    # What all paths begin with makes none of them likelier.
    short = {path.removeprefix(API): path for path in paths}
    meant = nearest(request.url.path.removeprefix(API), short)
    if meant is not None:
        return f"Did you mean {short[meant]}? {_ALL_CALLS}"
    return _ALL_CALLS


def _may_be(part: str, given: str) -> bool:
    return part == given or (part.startswith("{") and bool(given))


def _methods_at(request: Request) -> list[str]:
    """All of a path's methods: each has a route of its own, which knows only itself."""
    path, paths = request.url.path, _calls(request)
    if path in paths:  # `/webhooks/secret` is no webhook of that id.
        return sorted(paths[path])
    return [
        method
        for context in iter_route_contexts(request.app.routes)
        # Folders of files, which are mounted, answer for themselves.
        if (methods := getattr(context, "methods", None))
        and (context.include_in_schema or is_page(path))
        and context.path_regex.match(path)
        for method in sorted(methods)
    ]


async def _on_disconnect(request: Request, error: Exception) -> Response:
    """The client went away, or was cut off, before it had sent its request: nobody reads this."""
    return answer(RequestTimedOut(reason="the connection ended"))


async def _on_unexpected(request: Request, error: Exception) -> Response:
    """Nothing of the error leaves the house: it may hold a secret or somebody's data."""
    request_id = str(request.scope.get("state", {}).get("request_id", ""))
    log.error("http.crashed", request_id=request_id, exc_info=error)
    detail = f"Something went wrong here. It is in the server's log as request {request_id}."
    headers = {"X-Request-ID": request_id}
    return problem(AgentOSError(reason="unexpected"), 500, detail=detail, headers=headers)
