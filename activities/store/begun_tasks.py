"""Tasks that agents that stay have begun, and the word of their end in the agents' inboxes.

The word and the note that it was given are one transaction, which has locked the task and then the
agent, as all do who lock both. The note is the time of the end that was told: a task that ends
again, after a retry or a reset of its workflow, is told of again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.begun.report import EndedTask, MadeArtifact, report_of
from activities.store import fence
from activities.store.database import Database
from activities.store.inbox import NewMessage, Refused, lock_agents, post_within
from activities.store.input_holding import require_inputs
from activities.store.reading.plan_usage import Used, uses_of
from activities.store.task_statements import CREATE
from activities.store.tasks import NewTask, row_of
from workflows.contracts import Failure
from workflows.states import InboxKind, Status, TaskType

MAX_ARTIFACTS_TOLD = 50


@dataclass(frozen=True, slots=True)
class Reported:
    """``number`` is how many ends were told, or need not be any more; ``full`` are agents whose
    inbox has no room: they are told once it has."""

    number: int
    full: frozenset[UUID]


async def report_ends(
    database: Database, *, most: int, public_url: str, besides: Collection[UUID] = ()
) -> Reported:
    """Tell agents of at most ``most`` tasks that have ended, each in a transaction. ``besides`` are
    agents whose inbox was found to be full before."""
    values = {"most": most, "besides": list(besides)}
    async with database.reading(fresh=True) as connection:
        ended = (await connection.execute(_ENDED, values)).all()
    full = set[UUID]()
    for task_id, agent_id in ended:
        if agent_id in full:
            continue
        async with database.writing() as connection:
            if not await _report(connection, task_id, public_url):
                full.add(agent_id)
    return Reported(len(ended), frozenset(full))


async def unstarted(
    database: Database, *, since_seconds: float, limit: int
) -> Sequence[tuple[UUID, int]]:
    """Tasks that agents have begun and that no workflow works on, each with its run, the oldest
    first; of those of the last ``since_seconds``."""
    values = {"since_seconds": since_seconds, "most": limit}
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_UNSTARTED, values)
        return [(row.id, row.run) for row in rows]


async def begin(database: Database, task: NewTask, *, hops: int, most: int) -> int | None:
    """Write a task that an agent begins in an exchange of so many ``hops``, unless it has ``most``
    or more that have not ended: then how many. A task of the same id stays as it is.

    Raises:
        InputsGone
    """
    assert task.agent_id is not None
    values = {"id": task.id, "agent_id": task.agent_id, "hops": hops}
    async with database.writing() as connection:
        await require_inputs(connection, task.team_id, task.inputs)
        # The calls of one turn are made at once, and would all count before any of them writes.
        await lock_agents(connection, [task.agent_id])
        living: int = await connection.scalar(_COUNT_LIVING, values) or 0
        if living >= most:
            return living
        await connection.execute(CREATE, row_of(task))
        await connection.execute(_NOTE_HOPS, values)
    return None


async def _report(connection: AsyncConnection, task_id: UUID, public_url: str) -> bool:
    """False when the agent's inbox is full. Another API may have told it, or be at it."""
    row = (await connection.execute(_LOCK_ENDED, {"task_id": task_id})).one_or_none()
    if row is None:
        return True
    await lock_agents(connection, [row.agent_id])
    artifacts = (
        await connection.execute(_MADE, {"task_id": task_id, "most": MAX_ARTIFACTS_TOLD})
    ).all()
    posted = await post_within(connection, _notice(row, artifacts, public_url))
    if posted is Refused.FULL:
        return False
    # Who is gone, or terminated, is told nothing, and need not be later.
    await connection.execute(_NOTE, {"task_id": task_id})
    await _count_used(connection, task_id)
    return True


async def _count_used(connection: AsyncConnection, task_id: UUID) -> None:
    """Count what the task and those below it have used as the agent's of today. Of an end after a
    retry only that is new which was not counted at an earlier one."""
    uses = await uses_of(connection, [task_id], None)
    used = sum(uses[task_id].values(), Used())
    values = {"task_id": task_id, "tokens": used.tokens, "cost_usd": used.cost_usd}
    await connection.execute(_COUNT_USED, values)
    await connection.execute(_NOTE_COUNTED, values)


def _notice(
    row: Row[*tuple[Any, ...]], artifacts: Sequence[Row[*tuple[Any, ...]]], public_url: str
) -> NewMessage:
    ended = EndedTask(
        id=row.id,
        type=TaskType(row.type),
        name=row.name,
        status=Status(row.status),
        result=row.result,
        error=None if row.error is None else Failure.model_validate(row.error),
        artifacts=[MadeArtifact(each.id, each.name, each.size) for each in artifacts],
        artifacts_in_all=artifacts[0].in_all if artifacts else 0,
        is_deleted=row.is_deleted,
    )
    finished_at: datetime = row.finished_at
    return NewMessage(
        agent_id=row.agent_id,
        team_id=row.team_id,
        kind=InboxKind.NOTICE,
        from_name="AgentOS",
        to_agent_id=row.agent_id,
        content=report_of(ended, public_url),
        # Else two agents would answer each other for ever, with a task at each step.
        hops=row.hops,
        client_key=f"task:{row.id}:{row.run}:{finished_at.timestamp():.6f}",
    )


IS_UNREPORTED = """agent_id IS NOT NULL AND finished_at IS NOT NULL
    AND reported_at IS DISTINCT FROM finished_at"""

_ENDED = text(
    f"""
    SELECT id, agent_id FROM tasks
    WHERE {IS_UNREPORTED} AND NOT agent_id = ANY(CAST(:besides AS uuid[]))
    ORDER BY finished_at LIMIT :most
    """
)

_LOCK_ENDED = text(
    f"""
    SELECT id, team_id, agent_id, type, name, status, run, result, error, finished_at, hops,
           deleted_at IS NOT NULL AS is_deleted
    FROM tasks WHERE id = :task_id AND {IS_UNREPORTED}
    FOR UPDATE SKIP LOCKED
    """
)

# Those of its nodes are the plan's.
_MADE = text(
    """
    SELECT task_artifacts.id, task_artifacts.name, size, count(*) OVER () AS in_all
    FROM task_artifacts JOIN tasks ON tasks.id = task_artifacts.task_id
    WHERE (tasks.id = :task_id OR tasks.parent_id = :task_id) AND sha256 IS NOT NULL
    ORDER BY task_artifacts.created_at DESC, task_artifacts.name LIMIT :most
    """
)

_NOTE = text("UPDATE tasks SET reported_at = finished_at WHERE id = :task_id")

# A retry may have deleted turns that were counted: these stay counted.
_COUNT_USED = text(
    """
    INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
    SELECT agents.id, (now() AT TIME ZONE 'utc')::date, agents.team_id,
           greatest(CAST(:tokens AS bigint) - counted_tokens, 0),
           greatest(CAST(:cost_usd AS float) - counted_cost_usd, 0)
    FROM tasks JOIN agents ON agents.id = tasks.agent_id
    WHERE tasks.id = :task_id
    ON CONFLICT (agent_id, day) DO UPDATE
        SET tokens = agent_usage.tokens + excluded.tokens,
            cost_usd = agent_usage.cost_usd + excluded.cost_usd
    """
)
_NOTE_COUNTED = text(
    """
    UPDATE tasks
    SET counted_tokens = CAST(:tokens AS bigint), counted_cost_usd = CAST(:cost_usd AS float)
    WHERE id = :task_id
    """
)

_UNSTARTED = text(
    f"""
    SELECT id, run FROM tasks
    WHERE agent_id IS NOT NULL AND status = '{Status.PENDING}'
      AND created_at > now() - make_interval(secs => CAST(:since_seconds AS float))
    ORDER BY created_at LIMIT :most
    """
)

_NOTE_HOPS = text("UPDATE tasks SET hops = :hops WHERE id = :id AND agent_id = :agent_id")

_COUNT_LIVING = text(f"SELECT count(*) FROM tasks WHERE agent_id = :agent_id AND {fence.IS_LIVING}")
