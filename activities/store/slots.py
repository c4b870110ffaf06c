"""Slots under limits: taken all or none, given back, and who comes next.

Whoever takes some, or says who may come, holds one lock for the two or three statements that it
takes: what is counted must not change before it is written. Where no limit is set nobody comes
here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid
from sqlmodel import col

from activities.limits.base import Limit, Limits, rate_key
from activities.limits.line import Waiting, served
from activities.limits.shortage import Shortage, shortage_of
from activities.store import events, fence
from activities.store.database import Database
from activities.store.tables import Task
from workflows.contracts import workflow_id
from workflows.resident_contracts import agent_workflow_id
from workflows.states import Status, TaskType

# Those that come after so many are not looked at: they would have to wait anyway.
MOST_LOOKED_AT = 1_000
# Mostly it is one of the first whose turn it is.
FIRST_LOOKED_AT = 20

# Whoever was told to come and has not for so long is passed over by those who have come, and is
# told again when there is a place that nobody else wants.
LATE_SECONDS = 10.0

_NOBODY = UUID(int=0)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('agentos.slots'))")
_USED = text(
    "SELECT key, count(*) AS used FROM slots WHERE expires_at > now() AND holder <> :holder "
    "GROUP BY key"
)
# A task that is paused keeps its place in the line, but keeps nobody waiting. What asks all the
# same is a call of a turn that has to end before the pause can come.
_LINE = text(
    f"""
    SELECT holder, task_id, keys,
           coalesce(told_at > now() - make_interval(secs => :late), false) AS was_told
    FROM slot_waits JOIN tasks ON tasks.id = slot_waits.task_id
    WHERE (tasks.pause_requested_at IS NULL AND tasks.status <> '{Status.PAUSED}')
       OR holder = :holder
    ORDER BY coalesce(told_at <= now() - make_interval(secs => :late), false),
             slot_waits.priority DESC, arrived_at, holder
    LIMIT :most
    """
)
_TOKENS = text(
    "SELECT key, tokens, CAST(extract(epoch FROM now() - filled_at) AS float) AS seconds "
    "FROM rate_buckets"
)
_FILL = text(
    """
    INSERT INTO rate_buckets (key, tokens, filled_at) VALUES (:key, :tokens, now())
    ON CONFLICT (key) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at
    """
)
_ARRIVE = text(
    f"""
    INSERT INTO slot_waits (holder, team_id, task_id, keys, priority, tries)
    SELECT :holder, team_id, id, CAST(:keys AS jsonb), priority, 0
    FROM tasks WHERE {fence.IS_PRESENT_RUN}
    ON CONFLICT (holder) DO UPDATE SET keys = excluded.keys, told_at = NULL
    RETURNING tries
    """
)
_STAY = text(
    "UPDATE slot_waits SET tries = tries + 1, waits_for = :waits_for WHERE holder = :holder"
)
_LEAVE = text("DELETE FROM slot_waits WHERE holder = :holder")
_CLEAR = text("DELETE FROM slots WHERE holder = :holder OR expires_at <= now()")
_TAKE = text(
    """
    INSERT INTO slots (holder, key, team_id, task_id, token, worker_id, taken_at, expires_at)
    SELECT :holder, key, tasks.team_id, tasks.id, :token, :worker_id, now(),
           now() + make_interval(secs => :life)
    FROM unnest(:keys) AS key, tasks WHERE tasks.id = :task_id
    """
).bindparams(bindparam("keys", type_=ARRAY(Text)))
_TAKE_OVER = text(
    """
    UPDATE slots
    SET token = :token, worker_id = :worker_id, expires_at = now() + make_interval(secs => :life)
    WHERE holder = :holder AND expires_at > now()
    RETURNING key
    """
)
_GIVE_BACK = text("DELETE FROM slots WHERE token = :token")
_RENEW = text(
    "UPDATE slots SET expires_at = now() + make_interval(secs => :life) WHERE token = ANY(:tokens)"
).bindparams(bindparam("tokens", type_=ARRAY(Uuid)))
_TELL = text("UPDATE slot_waits SET told_at = now() WHERE holder = ANY(:holders)").bindparams(
    bindparam("holders", type_=ARRAY(Uuid))
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work of a ``run`` of a task: its ``holder`` is the same in every attempt at it,
    its ``token`` in none."""

    holder: UUID
    token: UUID
    task_id: UUID
    run: int
    worker_id: str


async def take(
    database: Database, piece: Piece, wanted: Sequence[Limit], limits: Limits, life_seconds: float
) -> Shortage | None:
    """Take a place under each of the ``wanted`` limits, or none of them and a place in the line.

    ``limits`` are all that are set. None for a task that has ended, too: whoever begins its work is
    told.
    """
    keys = [key for limit in wanted for key in _keys_of(limit)]
    async with database.writing() as connection:
        await connection.execute(_LOCK)
        if await _has_its_own(connection, piece, wanted, life_seconds):
            await connection.execute(_LEAVE, {"holder": piece.holder})
            return None
        arrival = {
            "holder": piece.holder,
            "keys": events.as_json(keys),
            **{"task_id": piece.task_id, "run": piece.run},
        }
        tries = await connection.scalar(_ARRIVE, arrival)
        if tries is None:
            return None
        line = await _line(connection, MOST_LOOKED_AT, piece.holder)
        free = await _free(connection, limits, piece.holder)
        places = {key: floor(left) for key, left in free.items()}
        if piece.holder not in {each.holder for each in served(line, places)}:
            shortage = shortage_of(piece.holder, wanted, line, free, tries)
            stay = {"holder": piece.holder, "waits_for": shortage.what}
            await connection.execute(_STAY, stay)
            await connection.execute(_CLEAR, {"holder": piece.holder})
            return shortage
        await _settle(connection, piece, wanted, free, life_seconds)
    return None


async def take_if_free(
    database: Database, piece: Piece, wanted: Sequence[Limit], limits: Limits, life_seconds: float
) -> bool:
    """As ``take``, for what has no place in the line: it goes after all who wait. The task may have
    ended."""
    keys = tuple(key for limit in wanted for key in _keys_of(limit))
    last = Waiting(piece.holder, piece.task_id, keys)
    async with database.writing() as connection:
        await connection.execute(_LOCK)
        line = [*await _line(connection, MOST_LOOKED_AT), last]
        free = await _free(connection, limits, piece.holder)
        places = {key: floor(left) for key, left in free.items()}
        if last not in served(line, places):
            return False
        await _settle(connection, piece, wanted, free, life_seconds)
    return True


async def leave(database: Database, holder: UUID) -> None:
    """Give up a place in the line: no limit holds any more for what waited there."""
    async with database.writing() as connection:
        await connection.execute(_LEAVE, {"holder": holder})


async def give_back(database: Database, token: UUID, limits: Limits) -> Sequence[UUID]:
    """Give back what an attempt has taken; the tasks that are to be told that they may come."""
    async with database.writing() as connection:
        await connection.execute(_LOCK)
        await connection.execute(_GIVE_BACK, {"token": token})
        return await _call(connection, limits)


async def call_next(database: Database, limits: Limits) -> Sequence[UUID]:
    """The tasks that are to be told that they may come, where nobody has told them: their place
    became free by itself, or their limit was raised."""
    async with database.writing() as connection:
        await connection.execute(_LOCK)
        return await _call(connection, limits)


async def workflows_of(database: Database, task_ids: Sequence[UUID]) -> Sequence[str]:
    """The workflows that run tasks: an exchange is run by that of its agent."""
    if not task_ids:
        return ()
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(Task.id), col(Task.type), col(Task.parent_id)).where(
                col(Task.id).in_(task_ids)
            )
        )
        return [
            agent_workflow_id(row.parent_id)
            if row.type is TaskType.EXCHANGE
            else workflow_id(row.id)
            for row in rows
        ]


async def renew(database: Database, tokens: Sequence[UUID], life_seconds: float) -> None:
    """Keep what attempts that still run have taken."""
    async with database.writing() as connection:
        await connection.execute(_RENEW, {"tokens": tokens, "life": life_seconds})


async def _has_its_own(
    connection: AsyncConnection, piece: Piece, wanted: Sequence[Limit], life_seconds: float
) -> bool:
    """Whether an attempt before this one, whose worker has died, had what this one needs: then it
    does not go to the end of the line."""
    needed = {limit.key for limit in wanted if limit.bounds.running is not None}
    values = {
        "holder": piece.holder,
        "token": piece.token,
        "worker_id": piece.worker_id,
        "life": life_seconds,
    }
    rows = await connection.execute(_TAKE_OVER, values)
    return bool(needed) and needed <= {row.key for row in rows}


async def _call(connection: AsyncConnection, limits: Limits) -> Sequence[UUID]:
    line = await _line(connection, FIRST_LOOKED_AT)
    if not line:
        return ()
    free = await _free(connection, limits, _NOBODY)
    places = {key: floor(left) for key, left in free.items()}
    called = [each for each in served(line, places) if not each.was_told]
    if not called and len(line) == FIRST_LOOKED_AT:
        line = await _line(connection, MOST_LOOKED_AT)
        called = [each for each in served(line, places) if not each.was_told]
    if called:
        await connection.execute(_TELL, {"holders": [each.holder for each in called]})
    return tuple(dict.fromkeys(each.task_id for each in called))


async def _line(
    connection: AsyncConnection, most: int, holder: UUID = _NOBODY
) -> Sequence[Waiting]:
    values = {"late": LATE_SECONDS, "most": most, "holder": holder}
    rows = await connection.execute(_LINE, values)
    return [Waiting(row.holder, row.task_id, tuple(row.keys), row.was_told) for row in rows]


async def _free(connection: AsyncConnection, limits: Limits, holder: UUID) -> Mapping[str, float]:
    """Of each limit, how many more may run but for ``holder``, and how many more may begin now."""
    used = {row.key: row.used for row in await connection.execute(_USED, {"holder": holder})}
    has_rates = any(limit.bounds.per_minute is not None for limit in limits.by_key.values())
    filled = {row.key: row for row in await connection.execute(_TOKENS)} if has_rates else {}
    free: dict[str, float] = {}
    for key, limit in limits.by_key.items():
        bounds = limit.bounds
        if bounds.running is not None:
            free[key] = bounds.running - used.get(key, 0)
        if bounds.per_minute is not None:
            free[rate_key(key)] = _tokens(limit, filled.get(key))
    return free


def _tokens(limit: Limit, row: Any) -> float:
    most = float(limit.bounds.burst)
    if row is None:
        return most
    filled: float = row.tokens + row.seconds / limit.bounds.token_seconds
    return min(most, filled)


async def _settle(
    connection: AsyncConnection,
    piece: Piece,
    wanted: Sequence[Limit],
    free: Mapping[str, float],
    life_seconds: float,
) -> None:
    """Write down what a piece of work takes, and that it waits no more."""
    of_piece = {"holder": piece.holder}
    await connection.execute(_LEAVE, of_piece)
    await connection.execute(_CLEAR, of_piece)
    keys = [limit.key for limit in wanted if limit.bounds.running is not None]
    if keys:
        taken = {
            "keys": keys,
            "token": piece.token,
            "task_id": piece.task_id,
            "worker_id": piece.worker_id,
            "life": life_seconds,
        }
        await connection.execute(_TAKE, of_piece | taken)
    for limit in wanted:
        if limit.bounds.per_minute is not None:
            left = {"key": limit.key, "tokens": free[rate_key(limit.key)] - 1}
            await connection.execute(_FILL, left)


def _keys_of(limit: Limit) -> Sequence[str]:
    keys = [limit.key] if limit.bounds.running is not None else []
    return [*keys, rate_key(limit.key)] if limit.bounds.per_minute is not None else keys
