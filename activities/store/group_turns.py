"""The turns of members in a discussion: what the end of an exchange means to the group whose
messages it answers, and what is done about members who do not answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store.daily_limits import USED_UP
from activities.store.database import Database
from activities.store.group_rounds import deliver_late, end_round
from activities.store.group_rows import LockedGroup, Words, locked_group, say
from activities.store.resident_state import JOINED, STATE
from workflows.discussions import turn_after
from workflows.states import FINAL, AgentState, GroupTurnState, Status

_UNABLE = ", ".join(
    f"'{state}'" for state in (AgentState.PAUSED, AgentState.ERROR, AgentState.TERMINATED)
)


@dataclass(frozen=True, slots=True)
class EndedExchange:
    """An exchange that took messages of discussion ``thread_id`` of a group, the last of them of
    ``round``. ``reply`` is None where it ended badly."""

    agent_id: UUID
    agent_name: str
    team_id: UUID
    exchange_id: UUID
    status: Status
    group_id: UUID
    thread_id: UUID
    round: int
    reply: str | None


@dataclass(frozen=True, slots=True)
class EndingTurn:
    """What is locked of a group in which the exchange of a member ends: the group and, unless it
    ``waits`` for the turn of another one, the ``members``, which may be given something."""

    group: LockedGroup
    members: Collection[UUID]
    waits: bool


async def lock_group(
    connection: AsyncConnection, group_id: UUID, team_id: UUID, agent_id: UUID
) -> EndingTurn | None:
    """Lock a group until the transaction ends, in which this member's exchange ends. The caller
    locks the members: groups come before agents (see ``group_rows``), and it has others to lock.
    None when there is no such group any more."""
    group = await locked_group(connection, group_id, team_id)
    if group is None:
        return None
    values = {
        "group_id": group.id,
        "agent_id": agent_id,
        "thread_id": group.thread_id,
        "round": group.round,
    }
    row = (await connection.execute(_TOLD_AFTER, values)).one()
    return EndingTurn(group, row.members, waits=row.waits)


async def on_exchange_end(
    connection: AsyncConnection, ended: EndedExchange, turn: EndingTurn
) -> None:
    """Post the reply, and note that the member has had its turn. All that is named in ``turn`` is
    locked, and every other member that ends its exchange waits for it: so nothing is asked twice.

    A reply that comes late, after its round, is posted as well, and wakes nobody by itself. A
    second one in the same turn is not, nor is one of who is no member any more.
    """
    group = turn.group
    values = {
        "group_id": group.id,
        "agent_id": ended.agent_id,
        "thread_id": ended.thread_id,
        "round": ended.round,
        "exchange_id": ended.exchange_id,
        "state": turn_after(ended.reply),
    }
    may_speak = await connection.scalar(_END_TURN, values)
    has_spoken = bool(may_speak) and await _post(connection, group, ended)
    if group.thread_id == ended.thread_id:
        if not turn.waits:
            await end_round(connection, group)
    elif group.thread_id is None and has_spoken:
        await deliver_late(connection, group, ended.thread_id)


async def miss_turns(database: Database) -> bool:
    """Go on in one group without the members who cannot answer, or took too long. False when there
    is none, or none that somebody else does not go on with already."""
    async with database.at_once() as connection:
        if await connection.scalar(_FIND_STUCK) is None:
            return False
    async with database.writing() as connection:
        group_id = await connection.scalar(_FIND_STUCK)
        if group_id is None:
            return False
        await go_on_without(connection, group_id)
    return True


async def go_on_without(connection: AsyncConnection, group_id: UUID) -> None:
    """The same in a group that is known to need it."""
    group = await locked_group(connection, group_id)
    if group is None or group.thread_id is None:
        return
    values = {"thread_id": group.thread_id, "round": group.round}
    await connection.execute(_MISS, values)
    await end_round(connection, group)


async def _post(connection: AsyncConnection, group: LockedGroup, ended: EndedExchange) -> bool:
    if turn_after(ended.reply) is not GroupTurnState.SPOKE:
        return False
    hops = await connection.scalar(_HOPS, {"thread_id": ended.thread_id}) or 0
    words = Words(
        thread_id=ended.thread_id,
        round=ended.round,
        from_agent_id=ended.agent_id,
        from_name=ended.agent_name,
        content=ended.reply or "",
        hops=hops + ended.round,
        exchange_id=ended.exchange_id,
        # One that took messages of two discussions answers once.
        client_key=f"exchange:{ended.exchange_id}",
    )
    return await say(connection, group, words) is not None


_TOLD_AFTER = text(
    """
    WITH due AS (
        SELECT EXISTS (
            SELECT FROM group_turns
            WHERE thread_id = CAST(:thread_id AS uuid) AND round = :round AND state = 'due'
              AND agent_id <> :agent_id
        ) AS waits
    )
    SELECT waits, ARRAY(
        SELECT agent_id FROM group_members WHERE group_id = :group_id AND NOT waits
    ) AS members
    FROM due
    """
)

# A turn of an earlier round is no more due; that of a later one is not of these messages. Whether
# the member may speak is seen as it was before.
_END_TURN = text(
    """
    WITH ended AS (
        UPDATE group_turns SET state = :state, exchange_id = :exchange_id
        WHERE thread_id = :thread_id AND agent_id = :agent_id AND round = :round AND state = 'due'
    )
    SELECT EXISTS (
        SELECT FROM group_members WHERE group_id = :group_id AND agent_id = :agent_id
    ) AND NOT EXISTS (
        SELECT FROM group_turns
        WHERE thread_id = :thread_id AND round = :round AND agent_id = :agent_id
          AND state IN ('spoke', 'passed')
    )
    """
)

_HOPS = text("SELECT hops FROM group_messages WHERE id = :thread_id")

_TURN = f"""
    FROM group_turns AS turn
    JOIN agents ON agents.id = turn.agent_id
    {JOINED}
    LEFT JOIN group_members AS member
        ON member.group_id = turn.group_id AND member.agent_id = turn.agent_id
    WHERE turn.thread_id = groups.thread_id AND turn.round = groups.round AND turn.state = 'due'
"""

_IS_LATE = """
    groups.round_at < now()
        - CAST(groups.limits ->> 'turn_seconds' AS double precision) * interval '1 second'
"""

_ENDED = ", ".join(f"'{status}'" for status in sorted(FINAL))

# Over its daily limit it ends the turn that it is in, and begins no other until tomorrow.
_IS_LOST = f"""(
    member.agent_id IS NULL OR agents.deleted_at IS NOT NULL OR {STATE} IN ({_UNABLE})
    OR {USED_UP} IS NOT NULL
    AND coalesce(exchange.status IN ({_ENDED}), true)
)"""

_FIND_STUCK = text(
    f"""
    SELECT id FROM groups
    WHERE thread_id IS NOT NULL AND (
        {_IS_LATE}
        OR NOT EXISTS (SELECT {_TURN})
        OR EXISTS (SELECT {_TURN} AND {_IS_LOST})
    )
    ORDER BY round_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
    """
)

_MISS = text(
    f"""
    UPDATE group_turns SET state = 'missed'
    FROM groups
    WHERE groups.thread_id = :thread_id AND group_turns.thread_id = groups.thread_id
      AND group_turns.round = groups.round AND group_turns.state = 'due'
      AND ({_IS_LATE} OR group_turns.agent_id IN (SELECT turn.agent_id {_TURN} AND {_IS_LOST}))
    """
)
