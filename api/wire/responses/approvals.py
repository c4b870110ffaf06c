"""Calls of agents that a person decides on."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import Status


class Approval(Answer):
    """What a person is asked about a call, until when, and what they said.

    ``kind`` says whether the call may be made only if they approve, or is a question, to which
    ``note`` is the answer.
    """

    kind: Open[Literal["approval", "answer"]]
    question: str | None = None
    asked_at: datetime
    expires_at: datetime
    decision: Open[Literal["approve", "deny"]] | None = None
    note: str | None = None
    decided_at: datetime | None = None


class AskedCall(Approval):
    """A call of an agent that waits, or waited, for a person."""

    call_id: UUID
    name: str
    tool: str
    arguments: JsonValue
    status: Open[Status]
