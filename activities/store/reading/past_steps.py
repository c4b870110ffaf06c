"""What the steps of a task have cost so far: by that it is judged what running them again costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text

from activities.store.database import Database
from activities.store.reading.plan_usage import Used, uses_of

# An agent may make thousands of calls: of these the last count.
MAX_STEPS = 1_000
MAX_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step, call or node. ``order`` is its place, that of a call the number of the message with
    its result. ``number`` is that of a node, of which ``used`` is what its task has used; a node
    that ``is_out`` is no part of the plan any more. ``item_of`` is the step of an item, which
    ``has_items``. ``seconds`` is how long it took when it ran last; None: it never has."""

    id: UUID
    name: str
    order: int = 0
    number: int | None = None
    is_out: bool = False
    child_id: UUID | None = None
    item_of: UUID | None = None
    has_items: bool = False
    seconds: float | None = None
    used: Used = field(default_factory=Used)


@dataclass(frozen=True, slots=True)
class TurnsCost:
    """What the turns of a model have taken; ``seconds`` are those until it had answered."""

    used: Used
    seconds: float


async def list_past_steps(database: Database, task_id: UUID) -> Sequence[PastStep]:
    """All of them, in their order; behind them items."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_STEPS, {"task_id": task_id, "most": MAX_STEPS})
        steps = [PastStep(*row) for row in rows][::-1]
        if any(step.has_items for step in steps):
            rows = await connection.execute(_ITEMS, {"task_id": task_id, "most": MAX_ITEMS})
            steps += [PastStep(*row) for row in rows]
        children = {step.child_id: step for step in steps if step.child_id is not None}
        uses = await uses_of(connection, list(children), None) if children else {}
    return [
        step
        if step.child_id is None
        else replace(step, used=sum(uses[step.child_id].values(), Used()))
        for step in steps
    ]


async def cost_of_turns(database: Database, task_id: UUID, after: int) -> TurnsCost:
    """Of the answers of a task's own model behind message ``after``."""
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(_TURNS, {"task_id": task_id, "after": after})).one()
    return TurnsCost(Used(row.tokens, row.cost_usd), row.seconds)


_SELECT = """
    SELECT step.id, step.name, step.execution_order, step.number,
           coalesce(step.output_result ->> 'replaced', step.output_result ->> 'dropped')
               IS NOT NULL AS is_out,
           step.child_id, step.item_of, step.input_context -> 'foreach' IS NOT NULL AS has_items,
           CASE WHEN step.number IS NOT NULL
               THEN CAST(extract(epoch FROM step.finished_at - step.started_at) AS float)
               ELSE (SELECT CAST(log.duration_ms AS float) / 1000 FROM execution_logs AS log
                     WHERE log.sub_task_id = step.id AND log.duration_ms IS NOT NULL
                     ORDER BY log.run DESC, log.attempt DESC LIMIT 1)
           END AS seconds
    FROM sub_tasks AS step
    WHERE step.task_id = :task_id
"""

_STEPS = text(
    f"""
    {_SELECT} AND step.item_of IS NULL
    ORDER BY step.execution_order DESC, step.number DESC NULLS FIRST
    LIMIT :most
    """
).bindparams(bindparam("task_id", type_=Uuid()))

_ITEMS = text(
    f"""
    {_SELECT} AND step.item_of IS NOT NULL
    ORDER BY step.execution_order, step.item_index
    LIMIT :most
    """
).bindparams(bindparam("task_id", type_=Uuid()))

_TURNS = text(
    """
    SELECT CAST(coalesce(sum(prompt_tokens + completion_tokens), 0) AS bigint) AS tokens,
           coalesce(sum(cost_usd), 0.0) AS cost_usd,
           CAST(coalesce(sum(duration_ms), 0) AS float) / 1000 AS seconds
    FROM messages
    WHERE task_id = :task_id AND role = 'assistant' AND seq > :after
    """
).bindparams(bindparam("task_id", type_=Uuid()))
