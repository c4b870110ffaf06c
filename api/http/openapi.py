"""The OpenAPI document: FastAPI writes it, but for errors and for the events of a stream."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from api.http.problems import PROBLEM_TYPE, ProblemDocument
from workflows.events import MODELS, Event, EventType

_REF = "#/components/schemas/{model}"

Schema = dict[str, Any]


class DocumentedApi(FastAPI):
    """Says of every call that it may answer with a problem document. Has a schema of each event
    among its components; ``STREAM`` says where they are sent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(responses={"default": _PROBLEM}, **options)

    def openapi(self) -> Schema:
        if self.openapi_schema is None:
            schemas = super().openapi()["components"]["schemas"]
            models = {_name(model): model for model in MODELS.values()}
            schemas.update(_schemas({**models, ProblemDocument.__name__: ProblemDocument}, schemas))
        return super().openapi()


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


_PROBLEM: Schema = {
    "description": "What was wrong, where, and what to do (RFC 9457).",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model=ProblemDocument.__name__)}}},
}

# The answer of a call that sends events, for ``responses`` of its route.
STREAM: Schema = {
    "description": (
        "Events as they happen, numbered within the task, each with the time at which it was "
        "written. More types may be added; skip those that you do not know."
    ),
    "content": {
        "text/event-stream": {"schema": {"type": "string"}, "itemSchema": {"oneOf": [*_items()]}}
    },
}
