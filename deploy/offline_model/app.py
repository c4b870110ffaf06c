"""The HTTP face: Chat Completions and the list of models, and scripts where they are allowed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.offline_model import LABEL, MODEL
from deploy.offline_model.bodies import parsed, read_body
from deploy.offline_model.errors import BodyTooLarge, ModelUnknown, ScriptUnknown
from deploy.offline_model.playing import Drop, error_response, play, send_reply
from deploy.offline_model.rules import respond
from deploy.offline_model.scripts import PREFIX, NewScript, Script, Scripts
from deploy.offline_model.wire import ChatRequest
from workflows.errors import AgentOSError, BadInput

DEFAULT_TOKENS_PER_SECOND = 200.0

_STATUSES: Mapping[type[AgentOSError], int] = {
    BodyTooLarge: 413,
    ModelUnknown: 404,
    ScriptUnknown: 404,
}


@dataclass(frozen=True, slots=True)
class ModelServerOptions:
    """``tokens_per_second`` is the pace of streams; 0 is as fast as can be."""

    tokens_per_second: float = DEFAULT_TOKENS_PER_SECOND
    allows_scripts: bool = False


def create_app(options: ModelServerOptions, drop: Drop) -> Starlette:
    """The application; ``drop`` cuts the connection of a request."""
    face = _Face(options, drop)
    routes = [
        Route("/", face.about),
        Route("/v1/models", face.models),
        Route("/v1/chat/completions", face.complete, methods=["POST"]),
    ]
    if options.allows_scripts:
        routes += [
            Route("/scripts", face.add_script, methods=["POST"]),
            Route("/scripts/{script_id}/requests", face.requests),
            Route("/scripts/{script_id}/v1/models", face.models),
            Route("/scripts/{script_id}/v1/chat/completions", face.complete, methods=["POST"]),
        ]
    handlers = {
        BadInput: _on_bad_input,
        HTTPException: _on_http_exception,
        Exception: _on_unexpected,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


class _Face:
    def __init__(self, options: ModelServerOptions, drop: Drop) -> None:
        self._scripts = Scripts()
        self._drop = drop
        self._pause_seconds = 1 / options.tokens_per_second if options.tokens_per_second else 0.0

    async def about(self, request: Request) -> Response:
        about = {"name": MODEL, "is_language_model": False, "description": f"This is {LABEL}."}
        return JSONResponse(about)

    async def models(self, request: Request) -> Response:
        script_id = request.path_params.get("script_id")
        names = [f"{PREFIX}{script_id}"] if script_id else [MODEL, *self._scripts.models()]
        listed = [
            {"id": name, "object": "model", "created": 0, "owned_by": "agentos"} for name in names
        ]
        return JSONResponse({"object": "list", "data": listed})

    async def complete(self, request: Request) -> Response:
        body = await read_body(request)
        chat = parsed(body, ChatRequest)
        if script := self._script_of(request, chat):
            asked = {"headers": dict(request.headers), "body": json.loads(body)}
            return await play(script.next_reply(asked), chat, request, self._drop)
        if chat.model != MODEL:
            raise ModelUnknown(model=chat.model)
        return send_reply(chat, respond(chat), self._pause_seconds)

    async def add_script(self, request: Request) -> Response:
        script = self._scripts.add(parsed(await read_body(request), NewScript))
        base_url = f"{request.base_url}scripts/{script.id}/v1"
        document = {"id": script.id, "model": f"{PREFIX}{script.id}", "base_url": base_url}
        return JSONResponse(document, 201)

    async def requests(self, request: Request) -> Response:
        script = self._scripts.find(request.path_params["script_id"])
        return JSONResponse({"received": script.received, "requests": list(script.requests)})

    def _script_of(self, request: Request, chat: ChatRequest) -> Script | None:
        if script_id := request.path_params.get("script_id"):
            return self._scripts.find(script_id)
        if chat.model in self._scripts.models():
            return self._scripts.find(chat.model.removeprefix(PREFIX))
        return None


async def _on_bad_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadInput)
    code = "model_not_found" if isinstance(error, ModelUnknown) else error.code
    return error_response(_STATUSES.get(type(error), 400), str(error), code=code)


async def _on_unexpected(request: Request, error: Exception) -> Response:
    return error_response(500, "Something went wrong here; see the log.", kind="server_error")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}"
    return error_response(error.status_code, message, headers=dict(error.headers or {}))
