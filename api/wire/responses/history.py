"""What happened within a task: attempts, spans of time, and what was said."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from api.wire.responses.tasks import SkillUsed
from workflows.open_values import Open
from workflows.states import Status


class Attempt(Answer):
    """One attempt at a step: everything it printed, and how it ended."""

    id: UUID
    step: str
    sub_task_id: UUID
    run: int
    attempt: int
    status: Open[Status]
    worker_id: str | None
    exit_code: int | None
    duration_ms: int | None
    tokens_used: int
    stdout: str
    stderr: str
    error: dict[str, JsonValue] | None
    started_at: datetime
    finished_at: datetime | None
    skill: SkillUsed | None = None


class Span(Answer):
    """A span of time: the task, which contains its steps, which contain their attempts.

    An agent's task contains turns, which contain the model's answer and the calls with their
    attempts. A step that runs once for each item contains these, of kind ``item``. The call that
    makes a plan contains its nodes, and these what happened in their tasks.
    ``duration_ms`` is None while the span is running. If ``is_cut``, what comes later is left out;
    logs and messages have all of it. ``answered_by`` is the tool that was called in place of the
    step's own, whose breaker was open. ``cached``: a step was not run, but given the result of an
    equal one. ``task_id`` is the task that runs a node, once there is one.
    """

    name: str
    kind: str
    status: Open[Status]
    start: datetime | None
    end: datetime | None
    duration_ms: int | None
    children: list["Span"]
    is_cut: bool = False
    cached: bool = False
    answered_by: str | None = None
    task_id: UUID | None = None


class ToolRequest(Answer):
    """A call that the model requests; ``arguments`` are as it wrote them."""

    id: str
    name: str
    arguments: str


class ModelUsage(Answer):
    """``first_token_ms`` and ``duration_ms`` are counted from when the model was asked."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    first_token_ms: int | None
    duration_ms: int | None


class Message(Answer):
    """A message of an agent's conversation.

    ``model``, ``usage`` and ``requests`` are an assistant's. ``request_id`` and ``sub_task_id``
    say which call a tool's message is the result of. ``from_name`` is the name of the person who
    has told the agent this while it was at work.
    """

    seq: int
    turn: int
    role: str
    content: str
    requests: list[ToolRequest]
    request_id: str | None
    sub_task_id: UUID | None
    model: str | None
    usage: ModelUsage | None
    created_at: datetime
    from_name: str | None = None


class ToldMessage(Answer):
    """What a person has told the agent of a task, its message ``number`` of this kind. ``seq`` is
    that of the message of the conversation in which the model has read it; null: it has not."""

    number: int
    from_name: str
    content: str
    seq: int | None = None
    created_at: datetime
