"""The OpenAPI document: FastAPI writes it, but for the events that a stream carries."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from workflows.events import MODELS, Event, EventType

_REF = "#/components/schemas/{model}"

Schema = dict[str, Any]


class DocumentedApi(FastAPI):
    """Has a schema of each event among its components; ``STREAM`` says where they are sent."""

    def openapi(self) -> Schema:
        if self.openapi_schema is None:
            schemas = super().openapi()["components"]["schemas"]
            schemas.update(_event_schemas(schemas))
        return super().openapi()


def _event_schemas(known: Schema) -> Schema:
    found: Schema = {}
    for model in MODELS.values():
        schema = model.model_json_schema(ref_template=_REF)
        shared = schema.pop("$defs", {})
        found |= {name: item for name, item in shared.items() if name not in known}
        found[_name(model)] = schema
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
    "content": {
        "text/event-stream": {"schema": {"type": "string"}, "itemSchema": {"oneOf": [*_items()]}}
    },
}
