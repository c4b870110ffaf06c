"""The rows of groups, as those need them who write to a group: locked, in the order that all keep.

That order is the group first, then the agents in the order of their ids (``inbox.lock_agents``).
Whoever holds an agent must not wait for a group: two exchanges that end at the same moment, and a
person who posts meanwhile, would wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import events
from activities.store.daily_limits import USED_UP
from activities.store.inbox import IS_FULL, MAX_UNREAD, lock_agents
from activities.store.resident_state import JOINED, STATE
from workflows.definitions.group import GroupLimits
from workflows.discussions import Silence, digest_of
from workflows.states import AgentState, GroupMode

_ABLE = (AgentState.IDLE, AgentState.RUNNING)


@dataclass(frozen=True, slots=True)
class LockedGroup:
    """A group as it was when it was locked: nobody else changes it until the transaction ends.
    Discussion ``thread_id`` is in ``round``; with None the group is silent."""

    id: UUID
    team_id: UUID
    name: str
    mode: GroupMode
    limits: GroupLimits
    delivered_seq: int
    thread_id: UUID | None
    round: int


@dataclass(frozen=True, slots=True)
class LockedMember:
    """A member, whose row is locked. ``is_able``: it may answer in the group, and can."""

    id: UUID
    name: str
    is_able: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said in a group. ``thread_id`` is the message that begins the discussion, which may
    be this one. With a ``reason`` nobody says it. See ``GroupMessage`` for the rest."""

    thread_id: UUID
    content: str
    id: UUID | None = None
    round: int = 0
    from_agent_id: UUID | None = None
    from_name: str = ""
    attachments: Mapping[str, str] | None = None
    hops: int = 0
    reason: str | None = None
    exchange_id: UUID | None = None
    client_key: str | None = None
    request_digest: str | None = None


async def locked_group(
    connection: AsyncConnection, group_id: UUID, team_id: UUID | None = None
) -> LockedGroup | None:
    """None when there is no such group, or it is none of the team."""
    values = {"group_id": group_id, "team_id": team_id}
    row = (await connection.execute(_LOCK_GROUP, values)).one_or_none()
    if row is None:
        return None
    return LockedGroup(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        mode=GroupMode(row.mode),
        limits=GroupLimits.model_validate(row.limits),
        delivered_seq=row.delivered_seq,
        thread_id=row.thread_id,
        round=row.round,
    )


async def members_of(connection: AsyncConnection, group_id: UUID) -> Sequence[UUID]:
    """Those of a group that is locked, who are not."""
    found = await connection.execute(_MEMBERS_OF, {"group_id": group_id})
    return [row.agent_id for row in found]


async def locked_members(connection: AsyncConnection, group: LockedGroup) -> Sequence[LockedMember]:
    """The members that are not terminated, in the order of their ids."""
    await lock_agents(connection, await members_of(connection, group.id))
    values = {"group_id": group.id, "most": MAX_UNREAD}
    return [
        LockedMember(
            row.id,
            row.name,
            is_able=AgentState(row.state) in _ABLE
            and not row.is_full
            and not row.is_used_up
            and (row.answers or group.mode is GroupMode.OPEN),
        )
        for row in await connection.execute(_MEMBERS, values)
    ]


async def say(connection: AsyncConnection, group: LockedGroup, words: Words) -> int | None:
    """Write down what is said, and tell those who view the group. Gives its number; None when it
    was said before under the same key."""
    content = words.content.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    values = {
        "id": words.id or uuid4(),
        "group_id": group.id,
        "thread_id": words.thread_id,
        "round": words.round,
        "from_agent_id": words.from_agent_id,
        "from_name": words.from_name,
        "content": content,
        "attachments": events.as_json(dict(words.attachments)) if words.attachments else None,
        "digest": digest_of(content),
        "hops": words.hops,
        "reason": words.reason,
        "exchange_id": words.exchange_id,
        "client_key": words.client_key,
        "request_digest": words.request_digest,
    }
    row = (await connection.execute(_SAY, values)).one_or_none()
    return None if row is None else int(row.seq)


async def note_silence(
    connection: AsyncConnection, group: LockedGroup, thread_id: UUID, why: Silence
) -> None:
    """Say why a discussion ends. Whose turn was due has missed it."""
    await connection.execute(_MISS_ALL, {"thread_id": thread_id})
    words = Words(
        thread_id=thread_id, round=group.round, content=why.words(group.limits), reason=why
    )
    await say(connection, group, words)


async def tell_viewers(connection: AsyncConnection, group_id: UUID) -> None:
    """Let those who view the group, or the team, look again."""
    await connection.execute(_TELL, {"group_id": group_id})


async def set_round(
    connection: AsyncConnection, group_id: UUID, thread_id: UUID | None, number: int
) -> None:
    """The round that a group is in. All that was said so far is delivered."""
    values: dict[str, Any] = {"group_id": group_id, "thread_id": thread_id, "round": number}
    await connection.execute(_SET_ROUND, values)


def tell(group: str) -> str:
    """The part of a statement that tells those who view the group, or the team."""
    return f"""pg_notify('{events.CHANNEL}', CAST({group}.id AS text)),
           pg_notify('{events.CHANNEL}', CAST({group}.team_id AS text))"""


_LOCK_GROUP = text(
    """
    SELECT id, team_id, name, mode, limits, delivered_seq, thread_id, round
    FROM groups
    WHERE id = :group_id AND team_id = coalesce(CAST(:team_id AS uuid), team_id)
    FOR UPDATE
    """
)

_MEMBERS_OF = text("SELECT agent_id FROM group_members WHERE group_id = :group_id")

_MEMBERS = text(
    f"""
    SELECT agents.id, agents.name, group_members.answers, {STATE} AS state,
           {USED_UP} IS NOT NULL AS is_used_up,
           {IS_FULL} AS is_full
    FROM group_members
    JOIN agents ON agents.id = group_members.agent_id
    {JOINED}
    WHERE group_members.group_id = :group_id
      AND agents.deleted_at IS NULL AND agents.terminated_at IS NULL
    ORDER BY agents.id
    """
)

_SAY = text(
    f"""
    WITH said AS (
        UPDATE groups SET message_seq = message_seq + 1, updated_at = now()
        WHERE id = :group_id AND NOT EXISTS (
            SELECT FROM group_messages
            WHERE group_id = :group_id AND client_key = CAST(:client_key AS text)
        )
        RETURNING id, team_id, message_seq
    ), written AS (
        INSERT INTO group_messages
            (id, team_id, group_id, seq, thread_id, round, from_agent_id, from_name, content,
             attachments, digest, hops, reason, exchange_id, client_key, request_digest)
        SELECT :id, team_id, id, message_seq, :thread_id, :round, :from_agent_id, :from_name,
               :content, CAST(:attachments AS jsonb), :digest, :hops, :reason, :exchange_id,
               :client_key, :request_digest
        FROM said
    )
    SELECT message_seq AS seq, {tell("said")} FROM said
    """
)

_TELL = text(
    f"""
    UPDATE groups SET updated_at = now() WHERE id = :group_id RETURNING {tell("groups")}
    """
)

_MISS_ALL = text(
    """
    UPDATE group_turns SET state = 'missed' WHERE thread_id = :thread_id AND state = 'due'
    """
)

_SET_ROUND = text(
    f"""
    UPDATE groups
    SET thread_id = :thread_id, round = :round, round_at = now(), updated_at = now(),
        delivered_seq = message_seq
    WHERE id = :group_id
    RETURNING {tell("groups")}
    """
)
