"""The statements of ``attempts``, each a whole: one round trip and one commit.

A step that takes 20 ms must not wait for as long again while a dozen statements go to and fro.
"""

from sqlalchemy import text

from activities.store import events, fence
from activities.store.revision_statements import TURN_OF_CALL, taken_back
from workflows.contracts import WORKER_LOST
from workflows.errors.tasks import WorkerStopping
from workflows.events import StepHeld, StepStarted
from workflows.states import ArtifactType, Phase, Status

_STARTED = events.made(
    StepStarted, task="task", seq="event_seq", step="name", attempt="CAST(:number AS int)"
)
_HELD = events.made(
    StepHeld,
    task="numbered",
    seq="event_seq",
    step="step_name",
    reason="CAST(:waits_for AS text)",
    next_attempt_at="CAST(:next_attempt_at AS timestamptz)",
)
# An attempt that was given up for lost has a number that is not the present one.
_IS_PRESENT_ATTEMPT = f"""
    sub_tasks.id = :sub_task_id AND sub_tasks.status = '{Status.RUNNING}'
    AND sub_tasks.retry_count = :number - 1"""
_HAS_CLOSED = events.status(Status.COMPLETED, task="numbered", seq="base + :count + 1")

# Left behind by a worker that died, cut off by a worker that Temporal had given up for lost, or
# given back by one that was stopped; the others failed on their own.
_WAS_LOST = f"""(
    execution_logs.status IN ('{Status.RUNNING}', '{Status.CANCELLED}')
    OR coalesce(execution_logs.error ->> 'code', '') IN ('{WORKER_LOST}', '{WorkerStopping.code}')
)"""
# When Temporal has reset a workflow, attempts count from 1 again. The rows of those before are
# taken over by the new ones, number by number, with a note if one was lost.
_IS_FROM_BEFORE = """
    execution_logs.attempt >= :number
    AND execution_logs.execution IS DISTINCT FROM CAST(:begun_in AS text)"""

# An item is run as its step is defined.
_DEFINITION = """coalesce(
        (SELECT whole.input_context FROM sub_tasks AS whole WHERE whole.id = {part}.item_of),
        {part}.input_context
    )"""

BEGIN_ATTEMPT = text(
    f"""
    WITH earlier AS (
        SELECT {_WAS_LOST} AS was_lost FROM execution_logs
        WHERE sub_task_id = :sub_task_id AND run = :run AND attempt < :number
        UNION ALL
        SELECT true FROM execution_logs
        WHERE sub_task_id = :sub_task_id AND run = :run
          AND (({_IS_FROM_BEFORE} AND {_WAS_LOST})
               OR (attempt = :number AND error ->> 'code' = '{WORKER_LOST}'))
    ), before AS (
        SELECT tasks.id, CAST(tasks.status <> '{Status.RUNNING}' AS int) AS wakes,
               CAST(sub_tasks.status <> '{Status.COMPLETED}' AS int) AS starts,
               (SELECT count(*) FROM earlier WHERE was_lost) AS lost,
               (SELECT count(*) FROM earlier WHERE NOT was_lost) AS failures
        FROM tasks JOIN sub_tasks ON sub_tasks.id = :sub_task_id
        WHERE tasks.id = :task_id
        -- The sub-task as well: an earlier attempt may end it while this waits, and an event that
        -- is counted here but not written below would leave a gap in the numbers.
        FOR UPDATE OF tasks, sub_tasks
    ), task AS (
        UPDATE tasks
        SET status = '{Status.RUNNING}', updated_at = now(),
            started_at = coalesce(started_at, now()), event_seq = event_seq + wakes + starts
        FROM before
        WHERE tasks.id = before.id AND {fence.IS_PRESENT}
        -- A planner may look at what its agents may use.
        RETURNING tasks.id, team_id, inputs, cache, event_seq, wakes, starts,
                  lost AS lost_before, failures,
                  coalesce(tasks.definition -> 'skills', tasks.definition #> '{{agent,skills}}')
                      AS skills,
                  coalesce(tasks.definition -> 'tools', tasks.definition #> '{{agent,tools}}')
                      AS tools
    ), started AS (
        UPDATE sub_tasks
        SET status = '{Status.RUNNING}', phase = '{Phase.PREPARE_ENV}',
            retry_count = :number - 1, next_attempt_at = NULL, waits_for = NULL,
            worker_id = :worker_id, error = NULL,
            started_at = coalesce(started_at, now())
        FROM task
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.status <> '{Status.COMPLETED}'
        RETURNING sub_tasks.id, name, input_context, approval, item_of, item_index, item
    ), lost AS (
        UPDATE execution_logs
        SET status = '{Status.FAILED}', error = CAST(:lost AS jsonb), finished_at = now()
        FROM started
        WHERE sub_task_id = started.id AND run = :run AND execution_logs.status = '{Status.RUNNING}'
          AND (attempt < :number OR ({_IS_FROM_BEFORE} AND attempt > :number))
    ), log AS (
        INSERT INTO execution_logs
            (id, team_id, task_id, sub_task_id, run, attempt, status, worker_id,
             execution, tokens_used, stdout, stderr)
        SELECT :log_id, task.team_id, task.id, started.id, :run, :number, '{Status.RUNNING}',
               :worker_id, :begun_in, 0, '', ''
        FROM task, started
        ON CONFLICT ON CONSTRAINT execution_logs_once DO UPDATE
            SET status = excluded.status, worker_id = excluded.worker_id,
                execution = excluded.execution, stdout = '', stderr = '', exit_code = NULL,
                duration_ms = NULL, started_at = now(), finished_at = NULL,
                error = CASE WHEN {_WAS_LOST} THEN CAST(:lost AS jsonb) END
            WHERE {_IS_FROM_BEFORE}
    ), event AS (
        {events.INSERT}
        {events.status(Status.RUNNING, seq="event_seq - starts")} FROM task WHERE wakes = 1
        UNION ALL
        {_STARTED} FROM task, started
    )
    SELECT task.team_id, inputs, cache, skills, tools, lost_before AS lost, failures, approval,
           name, {_DEFINITION.format(part="started")} AS definition, item_index, item,
           NULL AS output_result, 0 AS files, false AS closed, {events.notify("task")}
    FROM task, started
    UNION ALL
    SELECT tasks.team_id, inputs, cache, NULL, NULL, 0, 0, approval, sub_tasks.name, input_context,
           item_index, item, output_result,
           (SELECT count(*) FROM task_artifacts WHERE sub_task_id = :sub_task_id),
           tasks.status = '{Status.COMPLETED}', NULL
    FROM tasks JOIN sub_tasks ON sub_tasks.task_id = tasks.id
    WHERE tasks.id = :task_id AND run = :run AND sub_tasks.id = :sub_task_id
      AND sub_tasks.status = '{Status.COMPLETED}'
      AND (EXISTS (SELECT FROM task) OR tasks.status = '{Status.COMPLETED}')
      AND {fence.IS_EXECUTION}
    """
)

# See `turns` on what that means. Calls of the same turn stay, with the results that they have, and
# so does the plan that one of them runs.
TAKE_OVER = text(
    f"""
    WITH call AS (
        {TURN_OF_CALL}
    ), task AS (
        UPDATE tasks
        SET status = '{Status.RUNNING}', finished_at = NULL, error = NULL, result = NULL,
            updated_at = now(), event_seq = event_seq + 1,
            executions = executions || to_jsonb(CAST(:execution AS text))
        FROM call
        WHERE tasks.id = :task_id AND run = :run AND jsonb_array_length(executions) > 0
          AND NOT executions @> to_jsonb(CAST(:execution AS text))
        RETURNING tasks.id, team_id, event_seq, turn, last
    ), gone AS (
        DELETE FROM messages USING task
        WHERE messages.task_id = task.id AND messages.turn > task.turn
    ), dropped AS (
        DELETE FROM sub_tasks USING task
        WHERE sub_tasks.task_id = task.id
          AND (CAST(input_context ->> 'turn' AS int) > task.turn
               OR (number IS NOT NULL AND execution_order > last))
    ), {taken_back("last", where="true")}, event AS (
        {events.INSERT} {events.status(Status.RUNNING)} FROM task
    )
    SELECT id FROM task
    """
)

TELL_OF_ATTEMPT = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT} FOR UPDATE
    ), step AS (
        UPDATE sub_tasks
        SET phase = coalesce(CAST(:phase AS text), phase)
        FROM task
        WHERE {_IS_PRESENT_ATTEMPT} AND sub_tasks.task_id = task.id
        RETURNING sub_tasks.task_id
    ), numbered AS (
        UPDATE tasks SET {events.COUNT}
        FROM step WHERE tasks.id = step.task_id
        RETURNING {events.NUMBERED}
    ), event AS (
        {events.INSERT} {events.given("numbered")}
    )
    SELECT {events.notify("numbered")} FROM numbered
    """
)

OUTLINE = text(
    f"""
    SELECT team_id, input_context ->> 'tool' AS tool,
           status = '{Status.COMPLETED}' AS is_completed
    FROM sub_tasks WHERE id = :sub_task_id
    """
)

# Of the attempt nothing is left, so that none was used up: the next one has the same number. It may
# not even have begun. The row of one that took over another's, which was lost, has to tell of that.
HOLD_ATTEMPT = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT} FOR UPDATE
    ), step AS (
        UPDATE sub_tasks
        SET status = '{Status.QUEUED}', phase = NULL, waits_for = CAST(:waits_for AS text),
            next_attempt_at = CAST(:next_attempt_at AS timestamptz), retry_count = :number - 1,
            worker_id = NULL,
            started_at = CASE WHEN :number > 1 THEN started_at END
        FROM task
        WHERE sub_tasks.id = :sub_task_id AND sub_tasks.task_id = task.id
          AND sub_tasks.status <> '{Status.COMPLETED}' AND sub_tasks.retry_count < :number
        RETURNING sub_tasks.task_id, sub_tasks.name AS step_name
    ), gone AS (
        DELETE FROM execution_logs USING step
        WHERE execution_logs.id = :log_id AND execution_logs.status = '{Status.RUNNING}'
          AND execution_logs.error IS NULL
          AND execution_logs.execution IS NOT DISTINCT FROM CAST(:begun_in AS text)
    ), numbered AS (
        UPDATE tasks SET event_seq = event_seq + 1, updated_at = now()
        FROM step WHERE tasks.id = step.task_id
        RETURNING tasks.id, tasks.team_id, event_seq, step_name
    ), event AS (
        {events.INSERT} {_HELD} FROM numbered
    )
    SELECT {events.notify("numbered")} FROM numbered
    """
)

END_ATTEMPT = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT} FOR UPDATE
    ), step AS (
        UPDATE sub_tasks
        SET status = :status, phase = NULL, output_result = CAST(:output AS jsonb),
            error = CAST(:error AS jsonb), next_attempt_at = :next_attempt_at,
            approval = coalesce(CAST(:approval AS jsonb), approval), cached = :cached,
            skill = coalesce(CAST(:skill AS jsonb), skill),
            finished_at = CASE WHEN :is_final THEN now() END
        FROM task
        WHERE {_IS_PRESENT_ATTEMPT} AND sub_tasks.task_id = task.id
        RETURNING sub_tasks.id, sub_tasks.task_id, sub_tasks.team_id
    ), log AS (
        UPDATE execution_logs
        SET status = :log_status, exit_code = :exit_code, duration_ms = :duration_ms,
            stdout = :stdout, stderr = :stderr, error = CAST(:error AS jsonb), finished_at = now(),
            skill = CAST(:skill AS jsonb)
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
        SELECT file.id, step.team_id, step.task_id, step.id, '{ArtifactType.FILE}', file.name,
               file.size, file.mime_type, file.sha256
        FROM step, file
        ON CONFLICT (sub_task_id, name) DO UPDATE
            SET id = excluded.id, size = excluded.size, sha256 = excluded.sha256,
                mime_type = excluded.mime_type
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
            status = CASE WHEN :closes THEN '{Status.COMPLETED}' ELSE tasks.status END,
            pause_requested_at = CASE WHEN :closes THEN NULL ELSE pause_requested_at END,
            finished_at = CASE WHEN :closes THEN now() END
        FROM step WHERE tasks.id = step.task_id
        RETURNING tasks.id, tasks.team_id,
                  event_seq - CAST(CAST(:closes AS bool) AS int) - :count AS base
    ), event AS (
        {events.INSERT} {events.given("numbered")}
        UNION ALL
        {_HAS_CLOSED} FROM numbered WHERE :closes
    )
    SELECT {events.notify("numbered")},
           CASE WHEN CAST(:closes AS bool) THEN {events.notify_end("numbered")} END
    FROM numbered
    """
)
