"""Groups of agents that stay, their members, and what was said in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut, cut_at
from activities.store.resident_state import JOINED, STATE
from activities.store.tables import Group, GroupMember, GroupMessage
from workflows.definitions.group import GroupLimits
from workflows.states import AgentState, GroupMode, GroupTurnState

# What is said may be long. So much of it makes a page.
_PAGE_BYTES = 1_000_000
_PAGE_MESSAGES = 200
# Of what was said last, as lists of groups have it.
_GLANCE_CHARACTERS = 300
# As many as a team may have.
_GROUPS_OF_ONE = 1_000


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """``thread_id`` is the message that began the discussion that goes on in ``round``; None where
    the group is silent. ``message_seq`` is the number of the last message."""

    id: UUID
    team_id: UUID
    name: str
    mode: GroupMode
    limits: GroupLimits
    made_by: UUID | None
    message_seq: int
    thread_id: UUID | None
    round: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredMember:
    """``turn`` is what has become of its turn in the round that goes on."""

    agent_id: UUID
    name: str
    state: AgentState
    answers: bool
    turn: GroupTurnState | None


@dataclass(frozen=True, slots=True)
class StoredGroupMessage:
    """``reason``: it says why the group fell silent, and nobody has said it."""

    id: UUID
    seq: int
    group_id: UUID
    thread_id: UUID
    round: int
    from_agent_id: UUID | None
    from_name: str
    content: str
    attachments: Mapping[str, str] | None
    reason: str | None
    exchange_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LastWords:
    """The last message of a group; ``content`` is its beginning."""

    from_agent_id: UUID | None
    from_name: str
    content: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GroupPage:
    """``group`` is None once it is deleted."""

    group: StoredGroup | None
    members: Sequence[StoredMember]
    messages: Sequence[StoredGroupMessage]
    has_more: bool


_GROUP = (
    col(Group.id),
    col(Group.team_id),
    col(Group.name),
    col(Group.mode),
    col(Group.limits),
    col(Group.made_by),
    col(Group.message_seq),
    col(Group.thread_id),
    col(Group.round),
    col(Group.created_at),
    col(Group.updated_at),
)

_MESSAGE = (
    col(GroupMessage.id),
    col(GroupMessage.seq),
    col(GroupMessage.group_id),
    col(GroupMessage.thread_id),
    col(GroupMessage.round),
    col(GroupMessage.from_agent_id),
    col(GroupMessage.from_name),
    col(GroupMessage.content),
    col(GroupMessage.attachments),
    col(GroupMessage.reason),
    col(GroupMessage.exchange_id),
    col(GroupMessage.created_at),
)


async def find_group(database: Database, team_id: UUID, group_id: UUID) -> StoredGroup | None:
    """Read from the primary."""
    query = select(*_GROUP).where(col(Group.id) == group_id, col(Group.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _group(row)


async def list_groups(
    database: Database,
    team_id: UUID,
    cursor: Cursor | None,
    limit: int,
    *,
    name: str | None = None,
    member_id: UUID | None = None,
) -> tuple[Sequence[StoredGroup], Cursor | None]:
    """A page of groups, the newest first, and the place of its last one if there are more.
    ``member_id`` is an agent that is in all of them."""
    query = select(*_GROUP).where(col(Group.team_id) == team_id)
    if name is not None:
        query = query.where(col(Group.name) == name)
    if member_id is not None:
        theirs = select(col(GroupMember.group_id)).where(col(GroupMember.agent_id) == member_id)
        query = query.where(col(Group.id).in_(theirs))
    if cursor is not None:
        query = query.where(cursor.before(col(Group.created_at), col(Group.id)))
    query = query.order_by(col(Group.created_at).desc(), col(Group.id).desc())
    async with database.reading() as connection:
        found = (await connection.execute(query.limit(limit + 1))).all()
    rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
    return [_group(row) for row in rows], following


async def groups_of(database: Database, agent_id: UUID) -> Sequence[StoredGroup]:
    """Those that an agent is in, by name."""
    query = (
        select(*_GROUP)
        .join(GroupMember, col(GroupMember.group_id) == col(Group.id))
        .where(col(GroupMember.agent_id) == agent_id)
        .order_by(col(Group.name))
        .limit(_GROUPS_OF_ONE)
    )
    async with database.reading(fresh=True) as connection:
        return [_group(row) for row in await connection.execute(query)]


async def find_members(
    database: Database, group_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[StoredMember]]:
    """The members of each group, by name."""
    found: dict[UUID, list[StoredMember]] = {group_id: [] for group_id in group_ids}
    async with database.reading(fresh=True) as connection:
        for row in await connection.execute(_MEMBERS, {"group_ids": list(group_ids)}):
            found[row.group_id].append(_member(row))
    return found


async def find_last_words(
    database: Database, group_ids: Sequence[UUID]
) -> Mapping[UUID, LastWords]:
    """The last message of each group in which something was said."""
    query = (
        select(
            col(GroupMessage.group_id),
            col(GroupMessage.from_agent_id),
            col(GroupMessage.from_name),
            func.left(col(GroupMessage.content), _GLANCE_CHARACTERS).label("content"),
            col(GroupMessage.reason),
            col(GroupMessage.created_at),
        )
        .join(Group, col(Group.id) == col(GroupMessage.group_id))
        .where(col(Group.id).in_(group_ids), col(GroupMessage.seq) == col(Group.message_seq))
    )
    async with database.reading() as connection:
        return {row.group_id: LastWords(*row[1:]) for row in await connection.execute(query)}


async def list_group_messages(
    database: Database, group_id: UUID, before: int | None, limit: int
) -> tuple[Sequence[StoredGroupMessage], int | None]:
    """The last messages before a number, by default of all, in their order; and the number of the
    first of them if there are earlier ones."""
    query = select(*_MESSAGE).where(col(GroupMessage.group_id) == group_id)
    if before is not None:
        query = query.where(col(GroupMessage.seq) < before)
    query = query.order_by(col(GroupMessage.seq).desc()).limit(limit + 1)
    async with database.reading() as connection:
        found = [_message(row) for row in await connection.execute(query)]
    page = found[: _count(found, limit)]
    return page[::-1], page[-1].seq if len(found) > len(page) else None


async def read_group_page(database: Database, group_id: UUID, after: int) -> GroupPage:
    """The next messages with numbers above ``after``, and how the group was at that moment or
    later. From the primary: whoever is told of something must find it."""
    query = (
        select(*_MESSAGE)
        .where(col(GroupMessage.group_id) == group_id, col(GroupMessage.seq) > after)
        .order_by(col(GroupMessage.seq))
        .limit(_PAGE_MESSAGES + 1)
    )
    async with database.reading(fresh=True) as connection:
        found = [_message(row) for row in await connection.execute(query)]
        group = select(*_GROUP).where(col(Group.id) == group_id)
        row = (await connection.execute(group)).one_or_none()
        members = await connection.execute(_MEMBERS, {"group_ids": [group_id]})
        page = found[: _count(found, _PAGE_MESSAGES)]
        return GroupPage(
            group=None if row is None else _group(row),
            members=[_member(each) for each in members],
            messages=page,
            has_more=len(found) > len(page),
        )


def _count(found: Sequence[StoredGroupMessage], limit: int) -> int:
    return cut_at([len(each.content.encode()) for each in found], limit, _PAGE_BYTES)


async def read_discussion(database: Database, thread_id: UUID) -> Sequence[StoredGroupMessage]:
    """What was said in a discussion, with the message that began it, and why it ended."""
    query = (
        select(*_MESSAGE)
        .where(col(GroupMessage.thread_id) == thread_id)
        .order_by(col(GroupMessage.seq))
        .limit(_DISCUSSION)
    )
    async with database.reading(fresh=True) as connection:
        return [_message(row) for row in await connection.execute(query)]


async def find_silence(database: Database, thread_id: UUID) -> StoredGroupMessage | None:
    """What says why a discussion has ended; None while it goes on."""
    query = select(*_MESSAGE).where(
        col(GroupMessage.thread_id) == thread_id, col(GroupMessage.reason).is_not(None)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _message(row)


async def is_posted(database: Database, group_id: UUID, client_key: str) -> bool:
    """Whether there is a message under this key."""
    query = select(col(GroupMessage.id)).where(
        col(GroupMessage.group_id) == group_id, col(GroupMessage.client_key) == client_key
    )
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(query) is not None


# Of a discussion that is larger the beginning is given; the list of messages has all of it.
_DISCUSSION = 1_000


def _group(row: Row[*tuple[Any, ...]]) -> StoredGroup:
    return StoredGroup(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        mode=row.mode,
        limits=GroupLimits.model_validate(row.limits),
        made_by=row.made_by,
        message_seq=row.message_seq,
        thread_id=row.thread_id,
        round=row.round,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _member(row: Row[*tuple[Any, ...]]) -> StoredMember:
    return StoredMember(
        row.agent_id,
        row.name,
        AgentState(row.state),
        row.answers,
        row.turn and GroupTurnState(row.turn),
    )


def _message(row: Row[*tuple[Any, ...]]) -> StoredGroupMessage:
    return StoredGroupMessage(*row)


_MEMBERS = text(
    f"""
    SELECT member.group_id, member.agent_id, agents.name, member.answers, {STATE} AS state,
           turn.state AS turn
    FROM group_members AS member
    JOIN groups ON groups.id = member.group_id
    JOIN agents ON agents.id = member.agent_id AND agents.deleted_at IS NULL
    {JOINED}
    LEFT JOIN group_turns AS turn
        ON turn.thread_id = groups.thread_id AND turn.round = groups.round
        AND turn.agent_id = member.agent_id
    WHERE member.group_id = ANY(CAST(:group_ids AS uuid[]))
    ORDER BY agents.name
    """
)
