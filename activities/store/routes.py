"""Making a task of type ``auto`` what was chosen for it: one statement, and safe to repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select, text
from sqlmodel import col

from activities.store import events, fence
from activities.store.database import Database
from activities.store.tables import SubTask, Task
from activities.store.task_statements import INSERT_STEPS
from activities.store.tasks import NewSubTask, sub_task_rows
from workflows.agent_contracts import call_sub_task_id
from workflows.events import TaskRouted
from workflows.states import Status, TaskType

# Follows the Temporal run ids that have worked on the choice: whatever they still do is void.
_ROUTED = "routed"

# The conversation of the router goes, so that what comes next begins its own; what it has used
# stays, in ``route``. So does the call that chose, and the steps of a pipeline take its place.
TAKE_ROUTE = text(
    f"""
    WITH used AS (
        SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) AS tokens,
               coalesce(sum(cost_usd), 0) AS cost_usd, count(*) AS turns,
               coalesce(sum(duration_ms), 0) AS duration_ms,
               (array_agg(model ORDER BY seq DESC))[1] AS model
        FROM messages WHERE task_id = :task_id AND role = 'assistant'
    ), task AS (
        UPDATE tasks
        SET {events.COUNT}, type = :type, name = :name, definition = CAST(:definition AS jsonb),
            executions = executions || to_jsonb(CAST('{_ROUTED}' AS text)),
            route = jsonb_build_object(
                'requested', '{TaskType.AUTO}', 'type', CAST(:type AS text),
                'reason', CAST(:reason AS text), 'tokens', used.tokens,
                'cost_usd', used.cost_usd, 'turns', used.turns,
                'duration_ms', used.duration_ms, 'model', used.model)
        FROM used
        WHERE {fence.IS_PRESENT} AND tasks.type = '{TaskType.AUTO}'
        RETURNING {events.NUMBERED}
    ), gone AS (
        DELETE FROM messages USING task WHERE messages.task_id = task.id
    ), lost AS (
        DELETE FROM lost_answers USING task WHERE lost_answers.task_id = task.id
    ), dropped AS (
        DELETE FROM sub_tasks USING task WHERE sub_tasks.task_id = task.id
    ), step AS (
        {INSERT_STEPS}
    ), event AS (
        {events.INSERT} {events.given("task")}
    )
    SELECT {events.notify("task")} FROM task
    """
)


@dataclass(frozen=True, slots=True)
class RoutableTask:
    """A task, and the call that chose what it is, while there is one. ``definition`` is that of its
    present ``type``."""

    id: UUID
    team_id: UUID
    run: int
    first_step: int
    type: TaskType
    status: Status
    prompt: str | None
    definition: Mapping[str, JsonValue]
    call: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Route:
    """What a task becomes, and why."""

    type: TaskType
    name: str
    definition: Mapping[str, JsonValue]
    sub_tasks: Sequence[NewSubTask]
    reason: str


async def find_routable(
    database: Database, task_id: UUID, run: int, seq: int
) -> RoutableTask | None:
    """A run of a task, with the call whose result would be message ``seq``; None when the task was
    started again since."""
    query = (
        select(
            col(Task.id),
            col(Task.team_id),
            col(Task.run),
            col(Task.first_step),
            col(Task.type),
            col(Task.status),
            col(Task.prompt),
            col(Task.definition),
            col(SubTask.input_context),
        )
        .outerjoin(SubTask, col(SubTask.id) == call_sub_task_id(task_id, seq))
        .where(col(Task.id) == task_id, col(Task.run) == run)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else RoutableTask(*row)


async def take_route(
    database: Database, task: RoutableTask, route: Route, execution: str | None
) -> bool:
    """False when it was taken before, or the task has moved on."""
    told = TaskRouted(type=route.type, reason=route.reason)
    values = {
        "task_id": task.id,
        "run": task.run,
        "execution": execution,
        "type": route.type,
        "name": route.name,
        "definition": events.as_json(route.definition),
        "reason": route.reason,
        "sub_tasks": events.as_json(sub_task_rows(route.sub_tasks)),
        **events.values([told]),
    }
    return bool(await database.execute(TAKE_ROUTE, values))
