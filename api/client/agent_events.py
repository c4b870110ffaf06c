"""One thing that happened to an agent that stays."""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from api.client.sse import ServerEvent
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import AgentMessage
from workflows import events
from workflows.events import Event
from workflows.open_values import OPEN

_DATA = TypeAdapter(dict[str, JsonValue])
_MOMENT = TypeAdapter(datetime)
_TASK = TypeAdapter(UUID)
_DELETED = "agent.deleted"

Part = TypeVar("Part", bound=BaseModel)


class AgentEvent(BaseModel):
    """What ``data`` holds depends on ``type``: it is as the server sent it. ``id`` names the place
    in the stream, and is that of an earlier event where this one has none."""

    model_config = ConfigDict(frozen=True)

    id: str | None
    type: str
    data: dict[str, JsonValue]
    created_at: datetime

    @property
    def message(self) -> AgentMessage | None:
        """The row of the inbox, where this is one."""
        return _read(AgentMessage, self.data) if self.type == "message" else None

    @property
    def shown(self) -> AgentShown | None:
        """How the agent is, where this says so."""
        return _read(AgentShown, self.data) if self.type == "agent" else None

    @property
    def task_id(self) -> UUID | None:
        """The turn of the agent that this is an event of."""
        if self.type in ("message", "agent", _DELETED):
            return None
        try:
            return _TASK.validate_python(self.data.get("task_id"))
        except ValidationError:
            return None

    @property
    def payload(self) -> Event | None:
        """What happened within a turn; None for all else, and for what a newer server says."""
        return events.parse(self.type, self.data)

    @classmethod
    def read(cls, event: ServerEvent) -> "AgentEvent | None":
        """None for what is no event of ours."""
        try:
            data = _DATA.validate_json(event.data)
            moment = _MOMENT.validate_python(data.get("created_at") or datetime.now(UTC))
        except ValidationError:
            return None
        return cls(id=event.id, type=event.type, data=data, created_at=moment)


def says_it_is_gone(event: ServerEvent) -> bool:
    """Whether no event of the agent follows."""
    return event.type == _DELETED


def never(event: ServerEvent) -> bool:
    """A team has always more to tell."""
    return False


def _read(model: type[Part], data: dict[str, JsonValue]) -> Part | None:
    try:
        return model.model_validate(data, context=OPEN)
    except ValidationError:
        return None
