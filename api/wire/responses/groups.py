"""Groups of agents that stay, and what is said in them."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from api.wire.responses.base import Answer
from workflows.definitions.group import GroupLimits
from workflows.discussions import Silence
from workflows.open_values import Open
from workflows.states import AgentState, GroupMode, GroupTurnState


class GroupLinks(Answer):
    self: str
    messages: str
    events: str


class Member(Answer):
    """An agent in a group. ``answers``: it is named as one that answers while the group is
    moderated. ``turn`` is what has become of its turn in the round that goes on: it is null where
    it has none."""

    id: UUID
    name: str
    state: Open[AgentState]
    answers: bool
    turn: Open[GroupTurnState] | None


class GroupGlance(Answer):
    """``thread_id`` is the message that began the discussion which goes on in ``round``; null where
    the group is silent. ``message_seq`` is the number of its last message. An agent that made the
    group is ``made_by``."""

    id: UUID
    name: str
    mode: Open[GroupMode]
    limits: GroupLimits
    members: list[Member]
    thread_id: UUID | None
    round: int
    message_seq: int
    made_by: UUID | None
    created_at: datetime


class LastWords(Answer):
    """What was said last in a group: ``content`` is its beginning."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    sender: str = Field(alias="from")
    from_name: str
    content: str
    reason: Open[Silence] | None
    created_at: datetime


class Group(GroupGlance):
    """A group of agents. ``last_message`` is null before anything was said."""

    last_message: LastWords | None = None
    links: GroupLinks


class GroupMessage(Answer):
    """What was said in a group, numbered without gaps by ``seq``. ``from`` is the id of an agent,
    ``user``, or ``system``: that says why the group fell silent, with a ``reason``. ``thread_id``
    is the message that began the discussion, in whose ``round`` it was said. ``task_id`` is the
    task in which an agent said it."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    id: UUID
    seq: int
    group_id: UUID
    thread_id: UUID
    round: int
    sender: str = Field(alias="from")
    from_name: str
    content: str
    attachments: dict[str, str]
    reason: Open[Silence] | None
    task_id: UUID | None
    created_at: datetime


class GroupMessagePosted(Answer):
    """A message that all members are given. It has number ``seq`` in the group."""

    id: UUID
    seq: int


class Discussion(GroupMessagePosted):
    """All that was said in answer to a message, until the group fell silent for ``reason``; of more
    than 1,000 messages the first ones."""

    reason: Open[Silence]
    messages: list[GroupMessage]
