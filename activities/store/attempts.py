"""Writing what an attempt at a step does. Each function is one transaction, and safe to repeat.

An attempt that was given up for lost may come back late, when the next one is under way: every
write is fenced by the run of the task and the number of the attempt, and then changes nothing.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import and_, select, text, true, update
from sqlmodel import col

from activities.store import events
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.tables import SubTask, Task
from workflows.contracts import FINAL, Failure, Phase, Status, StepOutcome
from workflows.errors import TaskMoved


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a sub-task. ``number`` counts from 1 within a run, and ``retries`` may follow
    the first. ``execution`` is the Temporal run id, where a reset must make earlier ones void.
    The success of one that ``is_last`` completes the task."""

    task_id: UUID
    sub_task_id: UUID
    run: int
    number: int
    retries: int
    worker_id: str
    execution: str | None = None
    is_last: bool = False

    @property
    def log_id(self) -> UUID:
        return uuid5(self.sub_task_id, f"run {self.run} attempt {self.number}")


@dataclass(frozen=True, slots=True)
class Begun:
    """What an attempt works with: the sub-task's name and definition, and the task's inputs.

    ``outcome`` is set when the sub-task has succeeded already, ``was_lost`` when nobody knows how
    far an attempt before this one has come: it did not end by itself.
    """

    team_id: UUID
    name: str
    definition: dict[str, Any]
    inputs: dict[str, str]
    outcome: StepOutcome | None
    approval: dict[str, Any] | None = None
    was_lost: bool = False


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """What a model reads of a tool call's result; it is message ``seq`` of the task."""

    seq: int
    turn: int
    request_id: str
    content: str
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that came out of a step and lies in the store."""

    name: str
    size: int
    mime_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. ``files`` replace those of earlier attempts at the same step."""

    status: Status
    duration_ms: int
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    files: tuple[StoredFile, ...] = ()
    refused: tuple[str, ...] = ()
    failure: Failure | None = None
    next_attempt_at: datetime | None = None
    events: tuple[EventDraft, ...] = ()
    message: ToolMessage | None = None


def artifact_id(sub_task_id: UUID, name: str, sha256: str) -> UUID:
    """Derived from what it names, so that a repeat gives the same id and the same URL."""
    return uuid5(sub_task_id, f"{name}\n{sha256}")


async def begin(database: Database, attempt: Attempt) -> Begun:
    """Set sub-task and task running, unless the sub-task has succeeded already.

    It is the first thing that a run does which Temporal reset to the middle of a turn; such a run
    takes the task over.

    Raises:
        TaskMoved: the task has ended or was started again meanwhile.
    """
    values = {
        **_fence(attempt),
        "log_id": attempt.log_id,
        "worker_id": attempt.worker_id,
        "lost": _LOST,
    }
    rows = await database.execute(_BEGIN, values)
    if not rows and attempt.execution is not None:
        await database.execute(_TAKE_OVER, values)
    # Again: what an earlier attempt wrote while the first waited for it, the second sees.
    rows = rows or await database.execute(_BEGIN, values)
    if not rows:
        raise TaskMoved(task_id=attempt.task_id)
    [row] = rows
    outcome = row.output_result and StepOutcome(
        exit_code=row.output_result["exit_code"] or 0, files=row.files, closed=row.closed
    )
    return Begun(
        team_id=row.team_id,
        name=row.name,
        definition=row.definition,
        inputs=row.inputs,
        outcome=outcome,
        approval=row.approval,
        was_lost=row.was_lost,
    )


async def set_phase(
    database: Database, attempt: Attempt, phase: Phase | None, drafts: list[EventDraft]
) -> None:
    """Tell where the attempt is, and what it printed since."""
    async with database.writing() as connection:
        if phase is not None:
            changed = await connection.scalar(
                update(SubTask)
                .where(_current(attempt))
                .values(phase=phase)
                .returning(col(SubTask.id))
            )
            if changed is None:
                return
        await events.append(connection, attempt.task_id, drafts)


async def end(database: Database, attempt: Attempt, ended: Ended) -> bool:
    """Write an attempt's end, with its files and events. False when it no longer counts.

    The task is completed with the success of its last step, in the same transaction.
    """
    output = {"exit_code": ended.exit_code, "refused": list(ended.refused)}
    values = {
        **_fence(attempt),
        "log_id": attempt.log_id,
        "status": ended.status,
        "is_final": ended.status.is_final,
        "closes": attempt.is_last and ended.status is Status.COMPLETED,
        # Whether another one follows or not, an attempt that did not succeed has failed.
        "log_status": Status.FAILED if ended.status in _RETRYABLE else ended.status,
        "output": json.dumps(output),
        "error": ended.failure and ended.failure.model_dump_json(exclude_none=True),
        "next_attempt_at": ended.next_attempt_at,
        "exit_code": ended.exit_code,
        "duration_ms": ended.duration_ms,
        "stdout": ended.stdout,
        "stderr": ended.stderr,
        "files": json.dumps([_file_row(attempt.sub_task_id, file) for file in ended.files]),
        "count": len(ended.events),
        "drafts": events.document(ended.events),
        "messages": _messages(attempt, ended.message),
    }
    return bool(await database.execute(_END, values))


# How a step stands after an attempt that deserves another.
_RETRYABLE = (Status.QUEUED, Status.BLOCKED)


def _fence(attempt: Attempt) -> dict[str, Any]:
    return {
        "task_id": attempt.task_id,
        "sub_task_id": attempt.sub_task_id,
        "run": attempt.run,
        "execution": attempt.execution,
        "number": attempt.number,
        "final": [str(status) for status in FINAL],
        "channel": events.CHANNEL,
    }


def _messages(attempt: Attempt, message: ToolMessage | None) -> str:
    """A JSON array of none or one, which a statement can join."""
    if message is None:
        return "[]"
    return events.as_json([{**asdict(message), "execution": attempt.execution}])


def _file_row(sub_task_id: UUID, file: StoredFile) -> dict[str, Any]:
    return {
        "id": str(artifact_id(sub_task_id, file.name, file.sha256)),
        "name": file.name,
        "size": file.size,
        "mime_type": file.mime_type,
        "sha256": file.sha256,
    }


# What is still "running" when the next attempt begins was left behind by a worker that died.
_LOST = Failure(code="worker-lost", message="The worker died during this attempt.").model_dump_json(
    exclude_none=True
)

# Each is one statement, and so one round trip and one commit: a step that takes 20 ms must not wait
# for as long again while a dozen statements go to and fro.
_BEGIN = text(
    """
    WITH before AS (
        SELECT tasks.id, CAST(tasks.status <> 'running' AS int) AS wakes,
               CAST(sub_tasks.status <> 'completed' AS int) AS starts,
               -- Left behind by a worker that died, cut off by a worker that Temporal had given up
               -- for lost, or given back by one that was stopped.
               EXISTS (
                   SELECT FROM execution_logs AS earlier
                   WHERE earlier.sub_task_id = :sub_task_id AND earlier.run = :run
                     AND earlier.attempt < :number
                     AND (earlier.status IN ('running', 'cancelled')
                          OR earlier.error ->> 'code' IN ('worker-lost', 'worker-stopping'))
               ) AS was_lost
        FROM tasks JOIN sub_tasks ON sub_tasks.id = :sub_task_id
        WHERE tasks.id = :task_id
        FOR UPDATE OF tasks
    ), task AS (
        UPDATE tasks
        SET status = 'running', started_at = coalesce(started_at, now()), updated_at = now(),
            event_seq = event_seq + wakes + starts
        FROM before
        WHERE tasks.id = before.id AND run = :run AND status <> ALL (CAST(:final AS text[]))
          AND (CAST(:execution AS text) IS NULL OR executions ->> -1 = :execution)
        RETURNING tasks.id, team_id, inputs, event_seq, wakes, starts, was_lost
    ), started AS (
        UPDATE sub_tasks
        SET status = 'running', phase = 'prepare_env', retry_count = :number - 1,
            next_attempt_at = NULL, worker_id = :worker_id, error = NULL,
            started_at = coalesce(started_at, now())
        FROM task
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.status <> 'completed'
        RETURNING sub_tasks.id, name, input_context, approval
    ), lost AS (
        UPDATE execution_logs
        SET status = 'failed', error = CAST(:lost AS jsonb), finished_at = now()
        FROM started
        WHERE sub_task_id = started.id AND run = :run AND attempt < :number AND status = 'running'
    ), log AS (
        INSERT INTO execution_logs
            (id, team_id, task_id, sub_task_id, run, attempt, status, worker_id,
             tokens_used, stdout, stderr)
        SELECT :log_id, task.team_id, task.id, started.id, :run, :number, 'running', :worker_id,
               0, '', ''
        FROM task, started
        ON CONFLICT DO NOTHING
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, event_seq - starts, team_id, 'task.status', '{"status": "running"}'
        FROM task WHERE wakes = 1
        UNION ALL
        SELECT task.id, event_seq, team_id, 'step.started',
               jsonb_build_object('step', name, 'attempt', CAST(:number AS int))
        FROM task, started
    )
    SELECT task.team_id, inputs, was_lost, approval, name, input_context AS definition,
           NULL AS output_result, 0 AS files, false AS closed,
           pg_notify(:channel, CAST(task.id AS text))
    FROM task, started
    UNION ALL
    SELECT tasks.team_id, inputs, false, approval, sub_tasks.name, input_context, output_result,
           (SELECT count(*) FROM task_artifacts WHERE sub_task_id = :sub_task_id),
           tasks.status = 'completed', NULL
    FROM tasks JOIN sub_tasks ON sub_tasks.task_id = tasks.id
    WHERE tasks.id = :task_id AND run = :run AND sub_tasks.id = :sub_task_id
      AND sub_tasks.status = 'completed'
      AND (EXISTS (SELECT FROM task) OR tasks.status = 'completed')
      AND (CAST(:execution AS text) IS NULL OR executions ->> -1 = :execution)
    """
)

# See `turns` on what that means. Calls of the same turn stay, with the results that they have.
_TAKE_OVER = text(
    """
    WITH call AS (
        SELECT CAST(input_context ->> 'turn' AS int) AS turn FROM sub_tasks
        WHERE id = :sub_task_id
    ), task AS (
        UPDATE tasks
        SET status = 'running', finished_at = NULL, error = NULL, result = NULL,
            updated_at = now(), event_seq = event_seq + 1,
            executions = executions || to_jsonb(CAST(:execution AS text))
        FROM call
        WHERE tasks.id = :task_id AND run = :run AND jsonb_array_length(executions) > 0
          AND NOT executions @> to_jsonb(CAST(:execution AS text))
        RETURNING tasks.id, team_id, event_seq, turn
    ), gone AS (
        DELETE FROM messages USING task
        WHERE messages.task_id = task.id AND messages.turn > task.turn
    ), dropped AS (
        DELETE FROM sub_tasks USING task
        WHERE sub_tasks.task_id = task.id
          AND CAST(input_context ->> 'turn' AS int) > task.turn
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, event_seq, team_id, 'task.status', '{"status": "running"}' FROM task
    )
    SELECT id FROM task
    """
)

_END = text(
    """
    WITH task AS (
        SELECT id FROM tasks
        WHERE id = :task_id AND run = :run AND status <> ALL (CAST(:final AS text[]))
          AND (CAST(:execution AS text) IS NULL OR executions ->> -1 = :execution)
        FOR UPDATE
    ), step AS (
        UPDATE sub_tasks
        SET status = :status, phase = NULL, output_result = CAST(:output AS jsonb),
            error = CAST(:error AS jsonb), next_attempt_at = :next_attempt_at,
            finished_at = CASE WHEN :is_final THEN now() END
        FROM task
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.status = 'running'
          AND sub_tasks.retry_count = :number - 1 AND sub_tasks.task_id = task.id
        RETURNING sub_tasks.id, sub_tasks.task_id, sub_tasks.team_id
    ), log AS (
        UPDATE execution_logs
        SET status = :log_status, exit_code = :exit_code, duration_ms = :duration_ms,
            stdout = :stdout, stderr = :stderr, error = CAST(:error AS jsonb), finished_at = now()
        FROM step
        WHERE execution_logs.id = :log_id
    ), file AS (
        SELECT * FROM jsonb_to_recordset(CAST(:files AS jsonb))
            AS x(id uuid, name text, size bigint, mime_type text, sha256 text)
    ), gone AS (
        DELETE FROM task_artifacts USING step
        WHERE sub_task_id = step.id AND name NOT IN (SELECT name FROM file)
    ), kept AS (
        INSERT INTO task_artifacts
            (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
        SELECT file.id, step.team_id, step.task_id, step.id, 'file', file.name, file.size,
               file.mime_type, file.sha256
        FROM step, file
        ON CONFLICT (sub_task_id, name) DO UPDATE
            SET id = excluded.id, size = excluded.size, sha256 = excluded.sha256
    ), message AS (
        INSERT INTO messages
            (task_id, seq, team_id, turn, role, content, request_id, sub_task_id, is_protected,
             execution, prompt_tokens, completion_tokens, cost_usd)
        SELECT step.task_id, x.seq, step.team_id, x.turn, 'tool', x.content, x.request_id, step.id,
               x.is_protected, x.execution, 0, 0, 0
        FROM step, jsonb_to_recordset(CAST(:messages AS jsonb)) AS x(
            seq int, turn int, content text, request_id text, is_protected bool, execution text
        )
        ON CONFLICT (task_id, seq) DO UPDATE
            SET content = excluded.content, is_protected = excluded.is_protected
    ), numbered AS (
        UPDATE tasks
        SET event_seq = event_seq + :count + CAST(CAST(:closes AS bool) AS int), updated_at = now(),
            status = CASE WHEN :closes THEN 'completed' ELSE tasks.status END,
            finished_at = CASE WHEN :closes THEN now() END
        FROM step WHERE tasks.id = step.task_id
        RETURNING tasks.id, tasks.team_id,
                  event_seq - CAST(CAST(:closes AS bool) AS int) - :count AS base
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, base + place, team_id, draft ->> 'type', draft -> 'data'
        FROM numbered, jsonb_array_elements(CAST(:drafts AS jsonb))
            WITH ORDINALITY AS x(draft, place)
        UNION ALL
        SELECT id, base + :count + 1, team_id, 'task.status', '{"status": "completed"}'
        FROM numbered WHERE :closes
    )
    SELECT step.id, pg_notify(:channel, CAST(step.task_id AS text)) FROM step
    """
)


def _alive(attempt: Attempt) -> Any:
    latest = col(Task.executions).op("->>")(-1)
    return and_(
        col(Task.id) == attempt.task_id,
        col(Task.run) == attempt.run,
        col(Task.status).not_in([str(status) for status in FINAL]),
        true() if attempt.execution is None else latest == attempt.execution,
    )


def _current(attempt: Attempt) -> Any:
    return and_(
        col(SubTask.id) == attempt.sub_task_id,
        col(SubTask.status) == Status.RUNNING,
        col(SubTask.retry_count) == attempt.number - 1,
        col(SubTask.task_id).in_(select(col(Task.id)).where(_alive(attempt))),
    )
