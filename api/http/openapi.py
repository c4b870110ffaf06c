"""The OpenAPI document: FastAPI writes it, but for errors and for the events of a stream."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel
from starlette.responses import JSONResponse

from activities.off_loop import off_loop
from api.errors import (
    InvalidRequest,
    KeyRefused,
    MediaTypeRefused,
    NotFound,
    OriginRefused,
    RequestRefused,
    RequestTimedOut,
    TooLarge,
)
from api.http.bodies import JSON_TYPE, YAML_TYPES, Body
from api.http.paths import is_guarded
from api.http.problems import PROBLEM_TYPE, ProblemDocument
from api.wire.responses.base import API
from workflows.events import MODELS, Event, EventType

DOCUMENT_PATH = f"{API}/openapi.json"

_REF = "#/components/schemas/{model}"
_UNAVAILABLE = 503  # What we need ourselves is away.

_KEY = "key"
_KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of a team, `ak_...`, from `agentos keys create`.",
}

_TOKEN = "codec_token"  # noqa: S105  (its name in the document)
_TOKEN_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The AGENTOS_CODEC_TOKEN of the server.",
}
# Of a route that asks for the token; the user who runs the server may need none.
TOKEN_NEEDED: dict[str, Any] = {"security": [{_TOKEN: []}, {}]}

Schema = dict[str, Any]

_PROBLEM: Schema = {
    "description": "What was wrong, where, and what to do (RFC 9457).",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDocument.__name__)}}},
}


class DocumentedApi(FastAPI):
    """Says of every call how it may be refused, each time with a problem document, and which key it
    asks for. Has a schema of each event among its components; ``STREAM`` says where they are sent.
    """

    def __init__(self, *, keys_required: bool = False, **options: Any) -> None:
        super().__init__(responses={"default": _PROBLEM}, openapi_url=None, **options)
        self._keys_required = keys_required
        self.add_route(DOCUMENT_PATH, _send_document, include_in_schema=False)

    def openapi(self) -> Schema:
        if self.openapi_schema is None:
            document = super().openapi()
            models: dict[str, type[BaseModel]] = {_name(event): event for event in MODELS.values()}
            models[ProblemDocument.__name__] = ProblemDocument
            for context in iter_route_contexts(self.routes):
                for call in _calls(document, context):
                    _describe(call, context)
                if body := _body_of(context):
                    models[body.model.__name__] = body.model
            components = document["components"]
            components["schemas"].update(_schemas(models, components["schemas"]))
            components["securitySchemes"] = {_KEY: _KEY_SCHEME, _TOKEN: _TOKEN_SCHEME}
            document["security"] = [{_KEY: []}] if self._keys_required else [{_KEY: []}, {}]
        return super().openapi()


async def _send_document(request: Request) -> Response:
    # To write it takes half a second, once.
    return JSONResponse(await off_loop(request.app.openapi))


def refusals(*errors: type[RequestRefused]) -> dict[int | str, Schema]:
    """For ``responses`` of a route: how it refuses requests beside what any call may do."""
    return {error.status: _refusal(error.status) for error in errors}


def _calls(document: Schema, context: RouteContext) -> Iterator[Schema]:
    path = document["paths"].get(context.path_format, {})
    for method in context.methods or ():
        if call := path.get(method.lower()):
            yield call


def _describe(call: Schema, context: RouteContext) -> None:
    """What holds for all calls, and follows from what a route takes."""
    statuses = [OriginRefused.status, TooLarge.status, InvalidRequest.status]
    if is_guarded(str(context.path_format)):
        statuses += [KeyRefused.status, _UNAVAILABLE]
    else:
        call.setdefault("security", [])
    if any(parameter["in"] == "path" for parameter in call.get("parameters", ())):
        statuses.append(NotFound.status)
    if body := _body_of(context):
        call["requestBody"] = _request_body(body)
    if "requestBody" in call:
        statuses += [RequestRefused.status, RequestTimedOut.status, MediaTypeRefused.status]
    responses = call["responses"]
    for status in statuses:
        responses.setdefault(str(status), _refusal(status))
    stream = responses.get("200", {}).get("content", {}).get("text/event-stream", {})
    stream.pop("schema", None)  # FastAPI's, that a stream is a text.


def _body_of(context: RouteContext) -> Body[Any] | None:
    dependant = getattr(context, "dependant", None)
    calls = [item.call for item in dependant.dependencies] if dependant else []
    return next((call for call in calls if isinstance(call, Body)), None)


def _request_body(body: Body[Any]) -> Schema:
    schema = {"schema": {"$ref": _REF.format(model=body.model.__name__)}}
    return {
        "required": body.default is None,
        "content": {JSON_TYPE: schema, YAML_TYPES[0]: schema},
    }


def _refusal(status: int) -> Schema:
    return {**_PROBLEM, "description": HTTPStatus(status).phrase}


def _schemas(models: Mapping[str, type[BaseModel]], known: Schema) -> Schema:
    found: Schema = {}
    for name, model in models.items():
        schema = model.model_json_schema(ref_template=_REF)
        shared = schema.pop("$defs", {})
        found |= {key: item for key, item in shared.items() if key not in known}
        found[name] = schema
    return found


def _name(model: type[Event]) -> str:
    """``StepOutputEvent``: models of answers have names like those of events."""
    return f"{model.__name__}Event"


def _items() -> Iterator[Schema]:
    """What a stream consists of, by the type of the event."""
    moment = {
        "type": "object",
        "properties": {"created_at": {"type": "string", "format": "date-time"}},
    }
    for kind in EventType:
        payload = {"$ref": _REF.format(model=_name(MODELS[kind]))}
        data = {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"allOf": [payload, moment]},
        }
        yield {
            "type": "object",
            "required": ["id", "event", "data"],
            "properties": {
                "id": {"type": "string", "pattern": "^[0-9]+$"},
                "event": {"const": kind.value},
                "data": data,
            },
        }


# The answer of a call that sends events, for ``responses`` of its route.
STREAM: Schema = {
    "description": (
        "Events as they happen, numbered within the task, each with the time at which it was "
        "written. More types may be added; skip those that you do not know."
    ),
    "content": {"text/event-stream": {"itemSchema": {"oneOf": [*_items()]}}},
}

# The answer of a call that sends a file, which has the type it was stored with.
FILE: dict[int | str, Schema] = {
    status: {
        "description": description,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
    for status, description in ((200, "The file."), (206, "The part of it that was asked for."))
}

# That of a call that sends files as one.
ARCHIVE: dict[int | str, Schema] = {
    200: {
        "description": "The files, with their names made safe and unique.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
