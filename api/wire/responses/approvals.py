"""Calls of agents that a person decides on."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import Status, TaskType


class Approval(Answer):
    """A question to a person about a call, when it expires, and the decision.

    ``kind`` is ``approval`` if the call is made only once approved, or ``answer`` if it is a
    question, to which ``note`` is the answer. ``ask_id`` is to be sent with it: a call may ask
    again. A question of a server may bring a ``form``, a JSON schema of the fields that it wants,
    or a ``url``, a page that it wants opened.
    """

    ask_id: UUID | None = None

    kind: Open[Literal["approval", "answer"]]
    question: str | None = None
    form: dict[str, JsonValue] | None = None
    url: str | None = None
    asked_at: datetime
    expires_at: datetime
    decision: Open[Literal["approve", "deny"]] | None = None
    note: str | None = None
    decided_at: datetime | None = None


class AskedCall(Approval):
    """A call of an agent that is, or was, waiting for a person. Its ``type`` is that of a sub-task:
    one of type ``plan`` makes or revises the nodes of a plan."""

    call_id: UUID
    name: str
    type: str = ""
    tool: str
    arguments: JsonValue
    status: Open[Status]


class WaitingCall(AskedCall):
    """A call that waits for a person, and whose it is. Of a node of a plan ``parent_id`` is the
    plan; ``agent_id`` is the agent that stays in whose turn it is, or which has begun the task."""

    task_id: UUID
    task_name: str
    task_type: Open[TaskType]
    parent_id: UUID | None
    agent_id: UUID | None
    agent_name: str | None


class WaitingCount(Answer):
    """How many calls and questions wait for a person; ``is_more``: and others that were not
    counted."""

    count: int
    is_more: bool = False
