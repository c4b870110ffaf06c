"""What was said between an agent and others, arranged for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.web.agents.voices import Said, said_to_agent
from api.web.text.budget import Budget
from api.wire.responses.agents import Agent, AgentMessage, MessageStatus
from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary
from workflows.states import InboxKind


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
    """``turns`` are those in which the agent has answered, as far as they are known. It takes a
    while: call it beside the event loop."""
    budget = Budget()
    waiting = [message for message in page.items if _is_waiting(message)]
    read = [message for message in page.items if not _is_waiting(message)]
    return Conversation(
        said=[said_to_agent(agent, message, budget) for message in read],
        queue=[said_to_agent(agent, message, budget) for message in waiting],
        turns={turn.task_id: turn for turn in turns},
        older=page.next_cursor,
        last_seq=page.items[-1].seq if page.items else 0,
    )


def _is_waiting(message: AgentMessage) -> bool:
    is_unread = message.status == MessageStatus.UNREAD and message.kind != InboxKind.REPLY
    return is_unread and message.task_id is None
