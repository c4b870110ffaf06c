"""Agents that stay, their messages, and templates of them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from api.wire.responses.base import Answer
from api.wire.responses.pages import Page
from workflows.open_values import Open
from workflows.states import AgentState, InboxKind, MessageMode

# Who writes, or is written to, where that is none of the agents.
USER = "user"
SYSTEM = "system"


class MessageStatus(StrEnum):
    """Of a message to an agent: it is ``read`` once it is answered."""

    UNREAD = "unread"
    READ = "read"


class AgentLinks(Answer):
    self: str
    messages: str
    events: str
    children: str
    tasks: str


class AgentProfile(Answer):
    """Who it is to itself and to others."""

    name: str
    role: str | None
    goal: str | None
    tone: str | None


class AgentLimits(Answer):
    """The first four are for a turn, from the messages that it reads to its answer."""

    turns: int
    tokens: int
    cost_usd: float | None
    seconds: float
    daily_tokens: int | None
    daily_cost_usd: float | None
    children: int
    hops: int


class Agent(Answer):
    """An agent that stays. ``state`` is derived: ``running`` while it answers or has unread
    messages, ``error`` when its last turn ended badly, of which ``error`` tells.

    ``task_id`` is the task of the turn that it is in: its calls, approvals, events and artifacts
    are at ``/tasks/{task_id}``. ``waits_for`` says what holds that up. ``tokens`` and ``cost_usd``
    are those of all its turns, ``tokens_today`` and ``cost_today_usd`` those of this day in UTC.
    ``depth`` counts its parents.
    """

    id: UUID
    name: str
    state: Open[AgentState]
    waits_for: str | None = None
    profile: AgentProfile
    skills: list[str] | None
    tools: list[str] | None
    model: str | None
    limits: AgentLimits
    template: str | None
    parent_id: UUID | None
    depth: int
    unread: int
    last_activity_at: datetime
    tokens: int
    cost_usd: float
    tokens_today: int
    cost_today_usd: float = 0.0
    task_id: UUID | None
    error: dict[str, JsonValue] | None
    created_at: datetime
    links: AgentLinks


class AgentMessage(Answer):
    """A message in the inbox of an agent, numbered without gaps by ``seq`` as they came, or a reply
    of its own. ``from`` and ``to`` are ids of agents, ``user`` or ``system``. ``task_id`` is the
    task of the turn that took it, or gave it: a reply has the same as what it answers. One that is
    ``interrupted`` was cut short."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: UUID
    seq: int
    kind: Open[InboxKind]
    sender: str = Field(alias="from")
    from_name: str
    to: str
    to_name: str
    content: str
    attachments: dict[str, str]
    mode: Open[MessageMode]
    status: Open[MessageStatus]
    reply_to: UUID | None
    group_id: UUID | None
    task_id: UUID | None
    interrupted: bool
    created_at: datetime


class MessagePosted(Answer):
    """A message that is in the inbox. ``seq`` is its number there."""

    id: UUID
    seq: int
    status: Open[MessageStatus]


class MessageAnswered(MessagePosted):
    reply: AgentMessage


class MessageSent(MessagePosted):
    """Either of them, as a client reads it."""

    reply: AgentMessage | None = None


class AgentTemplate(Answer):
    """What agents are made of: ``source`` is ``file``, or ``team`` where it was set over the API,
    which goes before a file of that name."""

    name: str
    description: str
    source: str
    profile: AgentProfile
    skills: list[str] | None
    tools: list[str] | None
    model: str | None
    limits: AgentLimits


class RefusedTemplate(Answer):
    """A file that cannot be used, and why."""

    file: str
    reason: str


class TemplateList(Page[AgentTemplate]):
    """``refused`` are files that cannot be used."""

    refused: list[RefusedTemplate]
