"""Writing the items of a step with ``foreach``. Each function is one transaction, and safe to
repeat: an item that is completed stays as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import text

from activities.store import events, fence
from activities.store.database import Database
from workflows.contracts import Failure
from workflows.errors.tasks import TaskMoved
from workflows.events import StepCompleted, StepFailed, StepStarted
from workflows.item_names import item_name
from workflows.pipeline_contracts import ItemsCall, OpenedItems, item_sub_task_id
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class StepToOpen:
    """A step, as it is defined, and the inputs of its task. ``is_open``: its items are written."""

    definition: Mapping[str, Any]
    inputs: Mapping[str, str]
    is_open: bool


async def step_to_open(database: Database, call: ItemsCall) -> StepToOpen:
    """Raises ``TaskMoved`` where the task has ended or was started again."""
    rows = await database.execute(_TO_OPEN, _values(call))
    for row in rows:
        return StepToOpen(row.input_context, row.inputs, row.is_open)
    raise TaskMoved(task_id=call.task_id)


@dataclass(frozen=True, slots=True)
class ItemRows:
    """The rows of all items of a step, as a JSON document; there may be megabytes of it."""

    count: int
    document: str


def rows_of(call: ItemsCall, items: Sequence[Mapping[str, JsonValue]]) -> ItemRows:
    """One by one: to write a long document in one go keeps the interpreter."""
    rows = (
        {
            "id": str(item_sub_task_id(call.sub_task_id, index)),
            "name": item_name(call.step, index),
            "item_index": index,
            "item": item,
        }
        for index, item in enumerate(items)
    )
    return ItemRows(len(items), f"[{','.join(map(events.as_json, rows))}]")


async def open_items(database: Database, call: ItemsCall, rows: ItemRows | None) -> OpenedItems:
    """Write down what the items are, unless that was done, and give those that are to run.

    Raises:
        TaskMoved: the task has ended or was started again meanwhile.
    """
    async with database.writing() as connection:
        if rows is not None:
            values = {**_values(call), "count": rows.count, "items": rows.document}
            if not (await connection.execute(_OPEN, values)).all():
                raise TaskMoved(task_id=call.task_id)
        found = (await connection.execute(_OPEN_ITEMS, {"sub_task_id": call.sub_task_id})).all()
    return OpenedItems(
        count=len(found), items=tuple(row.item_index for row in found if not row.is_completed)
    )


async def fail_step(database: Database, call: ItemsCall, failure: Failure) -> None:
    """Write down why a step could not be opened."""
    told = StepFailed(step=call.step, error=failure)
    error = failure.model_dump_json(exclude_none=True)
    values = {**_values(call), **events.values([told]), "error": error}
    await database.execute(_FAIL, values)


async def close_items(database: Database, call: ItemsCall) -> None:
    """Complete a step whose items are all completed."""
    await database.execute(_CLOSE, _values(call))


def _values(call: ItemsCall) -> dict[str, UUID | int]:
    return {"task_id": call.task_id, "run": call.run, "sub_task_id": call.sub_task_id}


_TO_OPEN = text(
    f"""
    SELECT step.input_context, tasks.inputs, step.status = '{Status.RUNNING}' AS is_open
    FROM tasks JOIN sub_tasks AS step ON step.task_id = tasks.id
    WHERE {fence.IS_PRESENT_RUN} AND step.id = :sub_task_id
    """
)

_OPEN_ITEMS = text(
    f"""
    SELECT item_index, status = '{Status.COMPLETED}' AS is_completed
    FROM sub_tasks WHERE item_of = :sub_task_id ORDER BY item_index
    """
)

_STARTED = events.made(
    StepStarted,
    task="task",
    seq="event_seq",
    step="step.name",
    attempt="1",
    items="CAST(:count AS int)",
    kept=(
        "(SELECT count(*) FROM sub_tasks AS item WHERE item.item_of = step.id"
        f" AND item.item_index < :count AND item.status = '{Status.COMPLETED}')"
    ),
)
# Of an item the row has what is the same for all in short: who runs it reads the row of its step.
_OPEN = text(
    f"""
    WITH before AS (
        SELECT tasks.id, CAST(tasks.status <> '{Status.RUNNING}' AS int) AS wakes
        FROM tasks JOIN sub_tasks ON sub_tasks.id = :sub_task_id
        WHERE {fence.IS_PRESENT_RUN}
        FOR UPDATE OF tasks, sub_tasks
    ), step AS (
        UPDATE sub_tasks
        SET status = '{Status.RUNNING}', error = NULL, started_at = coalesce(started_at, now())
        FROM before
        WHERE sub_tasks.id = :sub_task_id
        RETURNING sub_tasks.id, sub_tasks.task_id, sub_tasks.team_id, name, task_type,
                  execution_order, jsonb_strip_nulls(jsonb_build_object(
                      'skill', input_context -> 'skill', 'tool', input_context -> 'tool',
                      'code', (input_context -> 'code') - 'source')) AS brief
    ), task AS (
        UPDATE tasks
        SET status = '{Status.RUNNING}', started_at = coalesce(started_at, now()),
            updated_at = now(), event_seq = event_seq + wakes + 1
        FROM before, step
        WHERE tasks.id = before.id
        RETURNING tasks.id, tasks.team_id, event_seq, wakes
    ), gone AS (
        DELETE FROM sub_tasks USING step
        WHERE sub_tasks.item_of = step.id AND sub_tasks.item_index >= :count
    ), made AS (
        INSERT INTO sub_tasks
            (id, team_id, task_id, parent_id, name, task_type, status, dependencies, input_context,
             retry_count, execution_order, item_of, item_index, item)
        SELECT x.id, step.team_id, step.task_id, step.task_id, x.name, step.task_type,
               '{Status.PENDING}', '[]', step.brief, 0, step.execution_order, step.id,
               x.item_index, x.item
        FROM step, jsonb_to_recordset(CAST(:items AS jsonb)) AS x(
            id uuid, name text, item_index int, item jsonb
        )
        ON CONFLICT (id) DO UPDATE
            SET task_type = excluded.task_type, input_context = excluded.input_context,
                item = excluded.item
            WHERE sub_tasks.status = '{Status.PENDING}'
    ), event AS (
        {events.INSERT}
        {events.status(Status.RUNNING, seq="event_seq - 1")} FROM task WHERE wakes = 1
        UNION ALL
        {_STARTED} FROM task, step
    )
    SELECT {events.notify("task")} FROM task
    """
)

_FAIL = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT_RUN} FOR UPDATE
    ), step AS (
        UPDATE sub_tasks
        SET status = '{Status.FAILED}', error = CAST(:error AS jsonb), finished_at = now(),
            started_at = coalesce(started_at, now())
        FROM task
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.status NOT IN ({fence.FINAL_STATES})
        RETURNING sub_tasks.task_id
    ), numbered AS (
        UPDATE tasks SET {events.COUNT} FROM step WHERE tasks.id = step.task_id
        RETURNING {events.NUMBERED}
    ), event AS (
        {events.INSERT} {events.given("numbered")}
    )
    SELECT {events.notify("numbered")} FROM numbered
    """
)

_DURATION = "CAST(extract(epoch FROM now() - began_at) * 1000 AS bigint)"
_CLOSE = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT_RUN} FOR UPDATE
    ), item AS (
        SELECT count(*) AS count, count(*) FILTER (WHERE status <> '{Status.COMPLETED}') AS open
        FROM sub_tasks WHERE item_of = :sub_task_id
    ), step AS (
        UPDATE sub_tasks
        SET status = '{Status.COMPLETED}', error = NULL, finished_at = now(),
            output_result = jsonb_build_object('exit_code', 0, 'items', item.count)
        FROM task, item
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.status = '{Status.RUNNING}'
          AND item.open = 0
        RETURNING sub_tasks.task_id, sub_tasks.name AS step_name, sub_tasks.started_at AS began_at
    ), numbered AS (
        UPDATE tasks SET event_seq = event_seq + 1, updated_at = now()
        FROM step WHERE tasks.id = step.task_id
        RETURNING tasks.id, tasks.team_id, event_seq, step_name, began_at
    ), event AS (
        {events.INSERT}
        {
        events.made(
            StepCompleted,
            task="numbered",
            seq="event_seq",
            step="step_name",
            attempt="1",
            exit_code="0",
            duration_ms=_DURATION,
            files=(
                "(SELECT count(*) FROM task_artifacts JOIN sub_tasks AS item"
                " ON item.id = task_artifacts.sub_task_id WHERE item.item_of = :sub_task_id)"
            ),
        )
    }
        FROM numbered
    )
    SELECT {events.notify("numbered")} FROM numbered
    """
)
