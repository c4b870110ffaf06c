"""What the live events of agents that stay have."""

from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import AgentState


class AgentShown(Answer):
    """How an agent is now: the data of an event ``agent``. All rows of its inbox up to ``read_seq``
    are read, ``message_seq`` is the last of all, and ``task_id`` the turn that it is in."""

    id: UUID
    name: str
    state: Open[AgentState]
    unread: int = 0
    read_seq: int = 0
    message_seq: int = 0
    task_id: UUID | None = None
    waits_for: str | None = None
    error: dict[str, JsonValue] | None = None
    parent_id: UUID | None = None
