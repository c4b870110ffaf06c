"""Rounds of a discussion: opened, ended, and what was said in them given to all members at once.

Every member gets the same messages in the same order, that of their numbers in the group; its own
are left out. To those whose turn it is they are unread. Others are not woken: theirs are read from
the first, and part of what they read with their next exchange.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import events, inbox
from activities.store.group_rows import (
    LockedGroup,
    LockedMember,
    locked_members,
    note_silence,
    set_round,
)
from workflows.discussions import Discussion, Said, Silence, Spent
from workflows.states import GroupTurnState, InboxKind, MessageMode


@dataclass(frozen=True, slots=True)
class Woken:
    """A member that has something to answer; ``seq`` is the number of the last message that it was
    given. Whoever tells workflows hears of it, unless who posts a message tells it at once."""

    agent_id: UUID
    name: str
    seq: int


@dataclass(frozen=True, slots=True)
class _Delivery:
    """In which round of which discussion ``speakers`` answer what is delivered. With ``tells`` the
    caller tells them."""

    thread_id: UUID
    round: int
    speakers: Collection[UUID] = ()
    tells: bool = False


async def open_discussion(
    connection: AsyncConnection,
    group: LockedGroup,
    thread_id: UUID,
    first: Said,
    *,
    tells: bool = False,
) -> Sequence[Woken]:
    """Begin the discussion of a message that was just said. Any earlier one has ended. Gives those
    whose turn it is; with ``tells`` the caller tells them."""
    members = await locked_members(connection, group)
    opened = Discussion.opened(group.limits, first, _able(members))
    return await _go_on(connection, group, thread_id, members, opened, tells=tells)


async def end_round(connection: AsyncConnection, group: LockedGroup) -> None:
    """Go on with the next round, or fall silent, unless somebody's turn is due still."""
    assert group.thread_id is not None
    values = {"thread_id": group.thread_id, "round": group.round, "group_id": group.id}
    if await connection.scalar(_HAS_DUE, values):
        return
    members = await locked_members(connection, group)
    discussion = await _discussion(connection, group)
    row = (await connection.execute(_SPENT, values)).one()
    spent = Spent(int(row.tokens), float(row.cost_usd))
    following = discussion.advanced(_able(members), spent)
    await _go_on(connection, group, group.thread_id, members, following)


async def deliver_late(connection: AsyncConnection, group: LockedGroup, thread_id: UUID) -> None:
    """Give what was said after the group fell silent to all members, and wake nobody."""
    members = await locked_members(connection, group)
    await _deliver(connection, group, members, _Delivery(thread_id, group.round))
    await set_round(connection, group.id, None, group.round)


async def _go_on(
    connection: AsyncConnection,
    group: LockedGroup,
    thread_id: UUID,
    members: Sequence[LockedMember],
    following: Discussion | Silence,
    *,
    tells: bool = False,
) -> Sequence[Woken]:
    if isinstance(following, Silence):
        await _deliver(connection, group, members, _Delivery(thread_id, group.round))
        await note_silence(connection, group, thread_id, following)
        await set_round(connection, group.id, None, group.round)
        return ()
    delivery = _Delivery(thread_id, following.round, following.turns.keys(), tells)
    woken = await _deliver(connection, group, members, delivery)
    values = {
        "thread_id": thread_id,
        "round": following.round,
        "group_id": group.id,
        "agent_ids": list(following.turns),
    }
    await connection.execute(_ADD_TURNS, values)
    await set_round(connection, group.id, thread_id, following.round)
    return woken


def _able(members: Sequence[LockedMember]) -> Sequence[UUID]:
    return [member.id for member in members if member.is_able]


async def _discussion(connection: AsyncConnection, group: LockedGroup) -> Discussion:
    values = {
        "group_id": group.id,
        "thread_id": group.thread_id,
        "round": group.round,
        "delivered_seq": group.delivered_seq,
    }
    turns = {
        row.agent_id: GroupTurnState(row.state) for row in await connection.execute(_TURNS, values)
    }
    said: list[Said] = []
    before: set[str] = set()
    for row in await connection.execute(_SAID, values):
        if row.is_new:
            said.append(Said(row.from_agent_id, row.digest))
        else:
            before.add(row.digest)
    return Discussion(group.limits, group.round, turns, said, frozenset(before))


async def _deliver(
    connection: AsyncConnection,
    group: LockedGroup,
    members: Sequence[LockedMember],
    delivery: _Delivery,
) -> Sequence[Woken]:
    """Write what was said since the last time into the inboxes of the members, which are locked.
    Gives those whose turn it is."""
    values = {
        "group_id": group.id,
        "name": group.name,
        "delivered_seq": group.delivered_seq,
        "thread_id": delivery.thread_id,
        "round": delivery.round,
        "member_ids": [member.id for member in members],
        "speaker_ids": list(delivery.speakers),
        "tells": delivery.tells,
    }
    given = await connection.execute(_DELIVER, values)
    return [Woken(row.id, row.name, row.message_seq) for row in given if row.is_speaker]


_HAS_DUE = text(
    """
    SELECT EXISTS (
        SELECT FROM group_turns
        WHERE thread_id = :thread_id AND round = :round AND state = 'due'
    )
    """
)

_TURNS = text(
    "SELECT agent_id, state FROM group_turns WHERE thread_id = :thread_id AND round = :round"
)

_SAID = text(
    """
    SELECT from_agent_id, digest, seq > :delivered_seq AS is_new
    FROM group_messages
    WHERE thread_id = :thread_id AND group_id = :group_id AND reason IS NULL
    ORDER BY seq
    """
)

# Of every exchange in which a member had its turn, whether it said something or not.
_SPENT = text(
    """
    SELECT coalesce(sum(used.tokens), 0) AS tokens, coalesce(sum(used.cost_usd), 0) AS cost_usd
    FROM (
        SELECT DISTINCT exchange_id FROM group_turns
        WHERE thread_id = :thread_id AND exchange_id IS NOT NULL
    ) AS turn, LATERAL (
        SELECT prompt_tokens + completion_tokens AS tokens, cost_usd
        FROM messages WHERE messages.task_id = turn.exchange_id
        UNION ALL
        SELECT prompt_tokens + completion_tokens, cost_usd
        FROM lost_answers AS lost
        -- Those of turns that have an answer are counted with that.
        WHERE lost.task_id = turn.exchange_id AND NOT EXISTS (
            SELECT FROM messages
            WHERE messages.task_id = lost.task_id AND messages.turn = lost.turn
              AND messages.role = 'assistant'
        )
    ) AS used
    """
)

_ADD_TURNS = text(
    """
    INSERT INTO group_turns (thread_id, round, agent_id, group_id, team_id, state)
    SELECT :thread_id, :round, agents.id, :group_id, agents.team_id, 'due'
    FROM agents WHERE id = ANY(CAST(:agent_ids AS uuid[]))
    ON CONFLICT DO NOTHING
    """
)

# Whoever tells workflows looks for agents with messages of which those do not know: of what wakes
# nobody they need not know.
_DELIVER = text(
    f"""
    WITH said AS (
        SELECT seq, from_agent_id, from_name, content, attachments, hops
        FROM group_messages
        WHERE group_id = :group_id AND seq > :delivered_seq AND reason IS NULL
    ), given AS (
        SELECT member.id AS agent_id, said.*,
               row_number() OVER (PARTITION BY member.id ORDER BY said.seq) AS place,
               count(*) OVER (PARTITION BY member.id) AS count
        FROM unnest(CAST(:member_ids AS uuid[])) AS member (id), said
        WHERE said.from_agent_id IS DISTINCT FROM member.id
    ), agent AS (
        UPDATE agents
        SET message_seq = message_seq + mine.count, updated_at = now(),
            told_seq = CASE
                WHEN told_seq >= message_seq AND NOT mine.is_speaker
                THEN message_seq + mine.count ELSE told_seq
            END
        FROM (
            SELECT DISTINCT agent_id, count,
                   agent_id = ANY(CAST(:speaker_ids AS uuid[])) AS is_speaker
            FROM given
        ) AS mine
        WHERE agents.id = mine.agent_id
        RETURNING agents.id, agents.name, agents.team_id, agents.message_seq, mine.is_speaker,
                  agents.message_seq - mine.count AS base
    ), written AS (
        INSERT INTO inbox
            (id, team_id, agent_id, seq, kind, from_agent_id, from_name, to_agent_id, to_name,
             content, attachments, mode, hops, group_id, thread_id, round, is_interrupted, read_at)
        SELECT gen_random_uuid(), agent.team_id, agent.id, agent.base + given.place,
               '{InboxKind.MESSAGE}', given.from_agent_id, given.from_name, NULL,
               CAST(:name AS text), given.content, given.attachments, '{MessageMode.QUEUE}',
               given.hops, :group_id, :thread_id, :round, false,
               CASE WHEN NOT agent.is_speaker THEN now() END
        FROM agent JOIN given ON given.agent_id = agent.id
    )
    SELECT agent.id, agent.name, agent.message_seq, agent.is_speaker,
           pg_notify('{events.CHANNEL}', CAST(agent.id AS text)),
           CASE WHEN agent.is_speaker AND NOT CAST(:tells AS bool)
                THEN pg_notify('{inbox.CHANNEL}', CAST(agent.id AS text)) END
    FROM agent
    """
)
