"""Errors as problem documents (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from activities.off_loop import off_loop
from api.errors import (
    InvalidRequest,
    KeyRefused,
    MethodNotAllowed,
    PageNotFound,
    RangeRefused,
    RequestRefused,
    RequestTimedOut,
    TooLarge,
    TooManyConnections,
    TooManyViewers,
)
from api.http.paths import is_page
from api.wire.errors import BodyMalformed
from workflows.errors import AgentOSError, BadInput, DiskFull, TemporaryFailure
from workflows.pointers import MAX_PROBLEMS, Problem
from workflows.validation_messages import message_of

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

log = structlog.get_logger(__name__)


class ProblemPlace(BaseModel):
    """One thing that is wrong, and where: a JSON pointer into the request's body; of a body that
    cannot be read, the line and the column, from 1."""

    pointer: str
    message: str
    line: int | None = None
    column: int | None = None


class ProblemDocument(BaseModel):
    """``code`` is stable: clients may branch on it. ``detail`` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemPlace] = Field(default=[])


def problem(
    error: AgentOSError, status: int, *, detail: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request that ended with an error."""
    document = ProblemDocument(
        type=f"urn:agentos:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or str(error),
        code=error.code,
        errors=_places_of(error),
    )
    return Response(
        document.model_dump_json(exclude_defaults=True),
        status,
        headers=dict(headers or {}),
        media_type=PROBLEM_TYPE,
    )


def _places_of(error: AgentOSError) -> list[ProblemPlace]:
    match error:
        case InvalidRequest():
            return [ProblemPlace(pointer=p.pointer, message=p.message) for p in error.problems]
        case BodyMalformed(
            fields={"reason": str(reason), "line": int(line), "column": int(column)}
        ):
            return [ProblemPlace(pointer="", message=reason, line=line, column=column)]
    return []


def answer(error: AgentOSError) -> Response:
    """The problem document of one of our own errors."""
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
            return problem(error, error.status, headers=_headers_of(error))
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
        case TooManyViewers() | TooManyConnections():
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
    return answer(error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    """What is wrong with parameters: bodies are read by ``Body``."""
    assert isinstance(error, RequestValidationError)
    # A parameter has no place in the body. The message names it.
    return answer(
        InvalidRequest(
            [
                Problem("", f"{item['loc'][0]} {item['loc'][1]}: {message_of(item)}")
                for item in error.errors()[:MAX_PROBLEMS]
            ]
        )
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework refuses itself."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    match error.status_code:
        case 404:
            return answer(PageNotFound(path=path))
        case 405:
            refused = MethodNotAllowed(path=path, method=request.method)
            return problem(
                refused, 405, headers={"Allow": ", ".join(await off_loop(_methods_at, request))}
            )
        case 413:
            return answer(TooLarge(limit=error.detail))
        case status:
            return problem(RequestRefused(reason=error.detail), status, headers=error.headers)


def _methods_at(request: Request) -> list[str]:
    """All of a path's methods: each has a route of its own, which knows only itself."""
    path, paths = request.url.path, request.app.openapi()["paths"]
    if path in paths:  # `/webhooks/secret` is no webhook of that id.
        return [method.upper() for method in paths[path]]
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
