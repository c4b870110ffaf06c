"""Writing dead letters: with the end of a task that ended badly, and with what is done about it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from pydantic import JsonValue
from sqlalchemy import ARRAY, Row, Uuid, bindparam, func, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.dead_letters.fingerprint import Parts
from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.reading.plan_usage import Used, uses_of
from activities.store.tables import DeadLetter
from activities.store.webhook_letters import is_of_task
from workflows.contracts import Failure
from workflows.errors import without_advice
from workflows.item_names import step_of
from workflows.states import LetterState, Status, TaskType

_UNKNOWN = Failure(code="error", message="Nobody wrote down why it ended.")
# Of the name of the task, its part and the message: a text is looked for in these.
_SEARCHED_CHARACTERS = 1_000


async def write_letters(connection: AsyncConnection, task_id: UUID) -> None:
    """Write the dead letters of a task whose end was just written, in the transaction of that.

    There are none of a task that is a node: its failure is a letter of the plan at the top. What is
    there already of the same run is from before Temporal reset it, and is open again.
    """
    rows = (await connection.execute(_ENDED_PARTS, {"ids": [task_id]})).all()
    if not rows:
        return
    used = await _used(connection, rows)
    values = [_values(row, used.get(row.part_id or row.id, Used())) for row in rows]
    statement = insert(DeadLetter).values(values)
    renewed = {name: statement.excluded[name] for name in values[0].keys() - _KEPT}
    again = {"created_at": func.now(), "ended_at": None, "ended_by": None, "note": ""}
    await connection.execute(
        statement.on_conflict_do_update(
            constraint="dead_letters_once", set_={**renewed, **again, "request_digest": None}
        )
    )


async def requeue_letters(
    connection: AsyncConnection, actor: Actor, task_id: UUID, digest: str | None, note: str
) -> Collection[UUID]:
    """Say of the open letters of a task that it runs again, in the transaction of that; gives which
    these were."""
    requeued = await connection.scalars(
        update(DeadLetter)
        .where(
            col(DeadLetter.task_id) == task_id,
            col(DeadLetter.state) == LetterState.OPEN,
            is_of_task(),
        )
        .values(
            **_ended(LetterState.REQUEUED, actor, note),
            request_digest=digest,
        )
        .returning(col(DeadLetter.id))
    )
    return requeued.all()


async def discard_letter(
    database: Database,
    actor: Actor,
    letter_id: UUID,
    note: str,
    details: Mapping[str, JsonValue] | None = None,
) -> bool:
    """Say that nothing will be done about it. False when something was done already."""
    async with database.writing() as connection:
        task_id = await connection.scalar(
            update(DeadLetter)
            .where(
                col(DeadLetter.id) == letter_id,
                col(DeadLetter.team_id) == actor.team_id,
                col(DeadLetter.state) == LetterState.OPEN,
            )
            .values(**_ended(LetterState.DISCARDED, actor, note))
            .returning(col(DeadLetter.task_id))
        )
        if task_id is None:
            return False
        told = {"task_id": str(task_id), **(details or {})}
        deed = Deed("dead_letter.discarded", str(letter_id), note, told)
        await audit.note(connection, actor, deed)
    return True


def _ended(state: LetterState, actor: Actor, note: str) -> dict[str, Any]:
    return {"state": state, "ended_by": actor.name, "note": note, "ended_at": func.now()}


async def _used(
    connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> Mapping[UUID, Used]:
    """By the id of the part, or of the task: of nodes what their tasks have used, of all else what
    the task has, as far as a model had a hand in it."""
    if rows[0].type == TaskType.PIPELINE:
        return {}
    of_tasks = {row.child_id or row.id: row.part_id or row.id for row in rows}
    uses = await uses_of(connection, list(of_tasks), rows[0].started_at)
    return {part: sum(uses[task].values(), Used()) for task, part in of_tasks.items()}


def _values(row: Row[*tuple[Any, ...]], used: Used) -> dict[str, Any]:
    """The columns of the letter of a part."""
    error = _UNKNOWN if row.error is None else Failure.model_validate(row.error)
    part = row.part or ""
    # Items of a step that fail alike are one group.
    step = step_of(part) if row.type == TaskType.PIPELINE else part
    message = without_advice(error.message)
    parts = Parts.of(TaskType(row.type), step or None, row.runs, error.code, message)
    searched = f"{row.name}\n{part}\n{error.code}\n{error.message}".lower()
    return {
        "id": uuid5(row.id, f"dead letter {row.run} {part}"),
        "team_id": row.team_id,
        "task_id": row.id,
        "sub_task_id": row.part_id,
        "run": row.run,
        "type": TaskType(row.type),
        "part": part,
        "name": row.name,
        "error": error.model_dump(mode="json", exclude_none=True),
        "fingerprint": parts.fingerprint,
        "parts": parts.document,
        "attempts": max(row.attempts if part else 1, error.attempts or 1),
        "tokens": used.tokens,
        "cost_usd": used.cost_usd,
        "seconds": row.seconds,
        "searched": searched[:_SEARCHED_CHARACTERS],
        "state": LetterState.OPEN,
    }


_KEPT = {"id", "team_id", "task_id", "run", "part"}

_BAD = f"'{Status.FAILED}', '{Status.BLOCKED}'"

# The parts of tasks that ended badly to which this is due, and the task itself where there is none:
# of a plan the nodes that failed and that it does not go on without, of all else what ended the
# run, which has the state and the error of the task (see `CLOSE`). Other calls of an agent may have
# failed as well: the model was told of them, and went on.
_ENDED_PARTS = text(
    f"""
    WITH ended AS (
        SELECT * FROM tasks
        WHERE id = ANY(:ids) AND parent_id IS NULL AND status IN ({_BAD})
    ), node AS (
        SELECT sub_tasks.* FROM ended JOIN sub_tasks ON sub_tasks.task_id = ended.id
        WHERE sub_tasks.number IS NOT NULL AND sub_tasks.status IN ({_BAD})
          AND sub_tasks.output_result ->> 'replaced' IS NULL
          AND sub_tasks.output_result ->> 'dropped' IS NULL
    ), blamed AS (
        SELECT DISTINCT ON (sub_tasks.task_id) sub_tasks.*
        FROM ended JOIN sub_tasks ON sub_tasks.task_id = ended.id
        WHERE sub_tasks.number IS NULL AND sub_tasks.status = ended.status
          -- Without an error it is a JSON null, of which `-` fails; CASE says what comes first.
          AND CASE WHEN jsonb_typeof(sub_tasks.error) = 'object'
                    AND jsonb_typeof(ended.error) = 'object'
              THEN sub_tasks.error - 'others' = ended.error - 'others' END
          AND NOT EXISTS (SELECT FROM node WHERE node.task_id = ended.id)
        -- Rather an item than its step, which has the same error.
        ORDER BY sub_tasks.task_id, sub_tasks.item_of NULLS LAST, sub_tasks.execution_order DESC
    ), part AS (
        SELECT * FROM node UNION ALL SELECT * FROM blamed
    )
    SELECT ended.id, ended.team_id, ended.type, ended.name, ended.run, ended.started_at,
           coalesce(part.error, ended.error) AS error, part.id AS part_id, part.name AS part,
           part.child_id, attempt.attempts,
           coalesce(part.input_context ->> 'skill', part.input_context ->> 'tool',
                    (part.input_context #>> '{{code,language}}') || ' code', part.task_type)
               AS runs,
           CAST(attempt.ms + CASE WHEN part.id IS NULL OR part.number IS NOT NULL
                             THEN spoken.ms ELSE 0 END AS float) / 1000 AS seconds
    FROM ended LEFT JOIN part ON part.task_id = ended.id
    -- Of a node those of its task, of the task itself all.
    CROSS JOIN LATERAL (
        SELECT count(*) AS attempts,
               coalesce(sum(duration_ms), 0) AS ms
        FROM execution_logs AS log
        WHERE log.task_id = coalesce(part.child_id, ended.id)
          AND (part.number IS NOT NULL
               OR (log.run = ended.run AND (part.id IS NULL OR log.sub_task_id = part.id)))
    ) AS attempt
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(duration_ms), 0) AS ms FROM messages
        WHERE messages.task_id = coalesce(part.child_id, ended.id)
          AND (part.number IS NOT NULL OR messages.seq > ended.first_step)
    ) AS spoken
    ORDER BY part.number
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
