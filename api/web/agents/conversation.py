"""What was said between an agent and others, arranged for its page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.web.agents.voices import Said, said_to_agent
from api.wire.responses.agents import Agent, AgentMessage, MessageStatus
from api.wire.responses.history import Message, ModelUsage
from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary
from workflows.states import InboxKind

TOOL = "tool"
ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A page of it. ``queue`` is what nobody has begun to read; ``last_seq`` is the number of the
    last message, after which live events begin."""

    said: Sequence[Said]
    queue: Sequence[Said]
    turns: Mapping[UUID, TaskSummary]
    older: str | None
    last_seq: int


def conversation_of(
    agent: Agent, page: Page[AgentMessage], turns: Sequence[TaskSummary]
) -> Conversation:
    """``turns`` are those in which the agent has answered, as far as they are known."""
    waiting = [message for message in page.items if _is_waiting(message)]
    read = [message for message in page.items if not _is_waiting(message)]
    return Conversation(
        said=[said_to_agent(agent, message) for message in read],
        queue=[said_to_agent(agent, message) for message in waiting],
        turns={turn.task_id: turn for turn in turns},
        older=page.next_cursor,
        last_seq=page.items[-1].seq if page.items else 0,
    )


def _is_waiting(message: AgentMessage) -> bool:
    is_unread = message.status == MessageStatus.UNREAD and message.kind != InboxKind.REPLY
    return is_unread and message.task_id is None


@dataclass(slots=True)
class Call:
    """A call of a tool. Without a ``result`` it has not ended."""

    tool: str
    arguments: str
    result: str | None = None


@dataclass(slots=True)
class Step:
    """One answer of the model: what it said, and what it called."""

    words: str
    model: str | None
    usage: ModelUsage | None
    calls: list[Call] = field(default_factory=list)


def calls_in(messages: Sequence[Message]) -> Sequence[Step]:
    """The model's answers in the order in which it gave them."""
    steps: list[Step] = []
    asked: dict[str, Call] = {}
    for message in messages:
        if message.role == ASSISTANT:
            calls = [Call(each.name, pretty(each.arguments)) for each in message.requests]
            asked |= {each.id: call for each, call in zip(message.requests, calls, strict=True)}
            steps.append(Step(message.content, message.model, message.usage, calls))
        elif message.role == TOOL and (call := asked.get(message.request_id or "")):
            call.result = message.content
    return steps


def pretty(arguments: str) -> str:
    """JSON as people read it; what is none stays as it is."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return arguments
