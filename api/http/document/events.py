"""Events of streams: a schema for each of them, and for each stream one of all that it sends."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from api.http.document.schemas import add_models
from api.http.document.shapes import Schema, ref
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import AgentMessage
from api.wire.responses.groups import GroupGlance, GroupMessage
from workflows.events import MODELS, Event

STREAM_TYPE = "text/event-stream"

_MOMENT: Schema = {
    "type": "string",
    "format": "date-time",
    "description": "When the event was written.",
}
_GONE: Schema = {
    "type": "object",
    "description": "What is no longer there.",
    "required": ["id"],
    "properties": {"id": {"type": "string", "format": "uuid", "description": "Its id."}},
}
_NOTHING: Schema = {"type": "object", "description": "Nothing: the event itself says it all."}

# What streams send beside the events of tasks: its type, the name of its schema, and its data.
_AGENT = ("agent", "AgentChangedEvent", "AgentShown")
_AGENT_DELETED = ("agent.deleted", "AgentDeletedEvent", "Deleted")
_OF_AGENT = (("message", "AgentMessageEvent", "AgentMessage"), _AGENT, _AGENT_DELETED)
_OF_TEAM = (("resync", "ResyncEvent", "Nothing"), _AGENT, _AGENT_DELETED)
_OF_GROUP = (
    ("message", "GroupMessageEvent", "GroupMessage"),
    ("group", "GroupChangedEvent", "GroupGlance"),
    ("group.deleted", "GroupDeletedEvent", "Deleted"),
)
_WORDS = {
    "AgentChangedEvent": "An agent has changed, or the stream begins.",
    "AgentDeletedEvent": "The agent is no longer there. The stream of one agent ends.",
    "AgentMessageEvent": "There is another row in the inbox of the agent.",
    "GroupChangedEvent": "The group, one of its members or a turn has changed.",
    "GroupDeletedEvent": "The group is no longer there, and the stream ends.",
    "GroupMessageEvent": "Something was said in the group.",
    "ResyncEvent": "Changes may have been missed: list the agents anew.",
}
_OPEN = "More types may be added: skip those that you do not know."
_STREAMS = {
    "TaskEvent": "An event of a task.",
    "AgentEvent": "An event of an agent that stays, or of the task in which it answers.",
    "TeamEvent": "An event of the agents of a team.",
    "GroupEvent": "An event of a group.",
}


def add_events(schemas: Schema) -> None:
    """The schemas that streams refer to."""
    payloads: dict[str, type[BaseModel]] = {
        f"{model.__name__}Data": model for model in MODELS.values()
    }
    others: Mapping[str, type[BaseModel]] = {
        model.__name__: model for model in (AgentMessage, AgentShown, GroupGlance, GroupMessage)
    }
    add_models(schemas, {**payloads, **others})
    for name in payloads:
        schemas[name].setdefault("properties", {})["created_at"] = dict(_MOMENT)
    schemas |= {"Deleted": _GONE, "Nothing": _NOTHING}
    for kind, name, data in {*_OF_AGENT, *_OF_TEAM, *_OF_GROUP}:
        schemas[name] = _event(kind, data, _WORDS[name])
    of_task = [(kind.value, _name(model), "") for kind, model in MODELS.items()]
    for model in MODELS.values():
        words = schemas[f"{model.__name__}Data"]["description"]
        schemas[_name(model)] = _event(model.type.value, f"{model.__name__}Data", words)
    schemas["TaskEvent"] = _one_of("TaskEvent", of_task)
    schemas["AgentEvent"] = _one_of("AgentEvent", [*_OF_AGENT, *of_task])
    schemas["TeamEvent"] = _one_of("TeamEvent", _OF_TEAM)
    schemas["GroupEvent"] = _one_of("GroupEvent", _OF_GROUP)


def _name(model: type[Event]) -> str:
    """``StepOutputEvent``: models of answers have names like those of events."""
    return f"{model.__name__}Event"


def _event(kind: str, data: str, words: str) -> Schema:
    return {
        "type": "object",
        "description": words,
        "required": ["event", "data"],
        "properties": {
            "id": {
                "type": "string",
                "description": "The place in the stream. Send the last one as `Last-Event-ID`.",
            },
            "event": {"type": "string", "const": kind, "description": "The type of the event."},
            "data": {**ref(data), "description": "What it tells; on the wire, JSON in one line."},
        },
    }


def _one_of(stream: str, events: Iterable[tuple[str, str, str]]) -> Schema:
    names = {kind: name for kind, name, _ in events}
    return {
        "description": f"{_STREAMS[stream]} {_OPEN}",
        "oneOf": [ref(name) for name in names.values()],
        "discriminator": {
            "propertyName": "event",
            "mapping": {kind: ref(name)["$ref"] for kind, name in names.items()},
        },
    }
