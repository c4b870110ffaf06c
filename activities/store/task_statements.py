"""The statements of ``tasks``, each a whole: one round trip and one commit."""

from sqlalchemy import text

from activities.store import events, fence
from workflows.events import TaskStatus
from workflows.states import LetterState, Status, TaskType

_WAS_RESET = "Its run was reset in Temporal."
_CANCELLED = f"'{Status.CANCELLED}'"
_PIPELINE = TaskType.PIPELINE
_BAD = f"'{Status.FAILED}', '{Status.BLOCKED}'"
_AT_WORK = f"'{Status.RUNNING}', '{Status.QUEUED}'"
# A step ends as the first of its items that has failed, and of the same.
_OF_FAILED_ITEM = f"""(
    SELECT item.{{column}} FROM sub_tasks AS item
    WHERE item.item_of = sub_tasks.id AND item.status IN ({_BAD})
    ORDER BY item.finished_at, item.item_index LIMIT 1
)"""
_STATUS_OF_ITEM = _OF_FAILED_ITEM.format(column="status")
_ERROR_OF_ITEM = _OF_FAILED_ITEM.format(column="error")
# The item that ends the run may be open still, as one whose worker died with its last attempt.
_HAS_ENDING_ITEM = """EXISTS (
    SELECT FROM sub_tasks AS item
    WHERE item.id = :sub_task_id AND item.item_of = sub_tasks.id
)"""

# The sub-tasks that are known before a task begins, of which the rows are ``sub_task_rows``.
INSERT_STEPS = f"""
    INSERT INTO sub_tasks
        (id, team_id, task_id, parent_id, name, task_type, status, dependencies, input_context,
         retry_count, execution_order)
    SELECT x.id, task.team_id, task.id, task.id, x.name, x.task_type, '{Status.PENDING}',
           x.dependencies, x.input_context, 0, x.execution_order
    FROM task, jsonb_to_recordset(CAST(:sub_tasks AS jsonb)) AS x(
        id uuid, name text, task_type text, dependencies jsonb, input_context jsonb,
        execution_order int
    )
"""

CREATE = text(
    f"""
    WITH task AS (
        INSERT INTO tasks
            (id, team_id, parent_id, type, name, prompt, priority, status, definition, inputs, run,
             first_step, event_seq, schedule_id, scheduled_at, agent_id, idempotency_key,
             request_digest, request_inputs, cache, callbacks, created_by)
        VALUES
            (:id, :team_id, :parent_id, :type, :name, :prompt, :priority, '{Status.PENDING}',
             CAST(:definition AS jsonb), CAST(:inputs AS jsonb), 1, 0, 1, :schedule_id,
             CAST(:scheduled_at AS timestamptz), :agent_id, :idempotency_key, :request_digest,
             CAST(:request_inputs AS jsonb), :cache, CAST(:callbacks AS jsonb), :created_by)
        ON CONFLICT DO NOTHING
        RETURNING id, team_id, event_seq
    ), step AS (
        {INSERT_STEPS}
    ), event AS (
        {events.INSERT} {events.status(Status.PENDING)} FROM task
    )
    SELECT {events.notify("task")} FROM task
    """
)

MARK = events.change("status = :status", where=f"{fence.IS_PRESENT_RUN} AND status <> :status")

REQUEST_PAUSE = events.change("pause_requested_at = now()", where=fence.IS_PRESENT_RUN)

REQUEST_RESUME = events.change(
    # A pause that was asked for since stays.
    """pause_requested_at = CASE
        WHEN pause_requested_at IS DISTINCT FROM CAST(:withdrawn AS timestamptz)
        THEN pause_requested_at END""",
    where=fence.IS_PRESENT_RUN,
)

# A step is over when its items are, and not when those beside it are: no time but what it took.
_END_OF_ITEMS = f"""(
    SELECT CASE WHEN count(*) FILTER (WHERE item.status IN ({_AT_WORK})) = 0
           THEN max(item.finished_at) FILTER (WHERE item.finished_at >= sub_tasks.started_at) END
    FROM sub_tasks AS item WHERE item.item_of = sub_tasks.id)"""

# The error of a task is the account of the failure that its step or turn has written down, where
# there is one of the same kind: the workflow, and its history, know the code alone. The step that
# ended the run is closed here because its worker may have died before it could. What else has begun
# when the run ends, such as other calls of an agent, did not fail: it was cut off. Of the steps and
# items of a pipeline others may have failed by then, which are counted. Tasks of nodes
# that were written, but whose workflows a plan has not come to start, would wait for ever.
CLOSE = text(
    f"""
    WITH reported AS (
        SELECT error FROM sub_tasks WHERE id = :sub_task_id AND error ->> 'code' = :code
    ), other AS (
        SELECT CASE WHEN count(*) > 0 THEN jsonb_build_object('others', count(*)) ELSE '{{}}' END
            AS counted
        FROM sub_tasks JOIN tasks ON tasks.id = sub_tasks.task_id AND tasks.type = '{_PIPELINE}'
        WHERE sub_tasks.task_id = :task_id AND sub_tasks.status IN ({_BAD})
          AND sub_tasks.id IS DISTINCT FROM CAST(:sub_task_id AS uuid)
          AND input_context -> 'foreach' IS NULL
    ), task AS (
        UPDATE tasks
        SET status = :status, finished_at = now(), updated_at = now(), event_seq = event_seq + 1,
            pause_requested_at = NULL,
            error = coalesce((SELECT error FROM reported),
                             CASE WHEN error ->> 'code' = :code THEN error END,
                             CAST(:error AS jsonb)) || (SELECT counted FROM other)
        WHERE {fence.IS_PRESENT_RUN}
        RETURNING id, team_id, event_seq, error
    ), step AS (
        UPDATE sub_tasks
        SET status = CASE WHEN sub_tasks.id = :sub_task_id THEN :status
                     WHEN :all_sub_tasks THEN '{Status.CANCELLED}'
                     ELSE coalesce({_STATUS_OF_ITEM},
                                   CASE WHEN {_HAS_ENDING_ITEM} THEN :status END,
                                   '{Status.CANCELLED}') END,
            phase = NULL, next_attempt_at = NULL, waits_for = NULL,
            error = CASE WHEN sub_tasks.id = :sub_task_id OR :all_sub_tasks THEN task.error
                    ELSE coalesce({_ERROR_OF_ITEM}, task.error) END,
            finished_at = coalesce(finished_at, {_END_OF_ITEMS}, now())
        FROM task
        WHERE sub_tasks.task_id = task.id AND sub_tasks.status <> '{Status.COMPLETED}'
          AND (sub_tasks.id = :sub_task_id
               OR ((:all_sub_tasks OR sub_tasks.status <> '{Status.PENDING}')
                   AND sub_tasks.status NOT IN ({fence.FINAL_STATES})))
    ), wait AS (
        DELETE FROM slot_waits USING task WHERE slot_waits.task_id = task.id
    ), log AS (
        UPDATE execution_logs
        SET status = :status, error = task.error, finished_at = now()
        FROM task
        WHERE execution_logs.task_id = task.id AND execution_logs.status = '{Status.RUNNING}'
    ), node AS (
        UPDATE tasks
        SET status = '{Status.CANCELLED}', finished_at = now(), updated_at = now(),
            event_seq = tasks.event_seq + 1, pause_requested_at = NULL,
            error = CAST(:unbegun AS jsonb)
        FROM task
        WHERE tasks.parent_id = :task_id AND tasks.status = '{Status.PENDING}'
        RETURNING tasks.id, tasks.team_id, tasks.event_seq, tasks.error
    ), node_step AS (
        UPDATE sub_tasks
        SET status = '{Status.CANCELLED}', error = node.error, finished_at = now()
        FROM node
        WHERE sub_tasks.task_id = node.id AND sub_tasks.status = '{Status.PENDING}'
    ), letter AS (
        UPDATE dead_letters
        SET state = '{LetterState.REQUEUED}', ended_at = now(), note = '{_WAS_RESET}'
        FROM task
        WHERE dead_letters.task_id = task.id AND dead_letters.run = :run
          AND dead_letters.state = '{LetterState.OPEN}' AND left(part, 8) <> 'webhook:'
    ), event AS (
        {events.INSERT}
        {events.made(TaskStatus, task="task", seq="event_seq", status=":status", error="error")}
        FROM task
        UNION ALL
        {events.made(TaskStatus, task="node", seq="event_seq", error="error", status=_CANCELLED)}
        FROM node
    )
    SELECT {events.notify("task")}, {events.notify_end("task")} FROM task
    UNION ALL
    SELECT {events.notify("node")}, {events.notify_end("node")} FROM node
    """
)

DESCRIBE_NODE = text(
    """
    UPDATE sub_tasks
    SET input_context =
            jsonb_set(input_context, '{description}', to_jsonb(CAST(:description AS text)))
    WHERE id = :id AND number IS NOT NULL
    """
)

# The sub-tasks of a task that has another definition now; the order of those it keeps stays.
REDEFINE_STEPS = text(
    f"""
    WITH task AS (
        SELECT id, team_id FROM tasks WHERE id = :task_id
    )
    {INSERT_STEPS}
    ON CONFLICT (id) DO UPDATE
        SET task_type = excluded.task_type, dependencies = excluded.dependencies,
            input_context = excluded.input_context, execution_order = excluded.execution_order
    """
)

# What a step has made that has items now is nobody's any more, nor are the items of one that has
# none now: whoever read the results of the step would take them for its own.
DROP_ITEMS = text(
    """
    DELETE FROM sub_tasks USING sub_tasks AS step
    WHERE sub_tasks.task_id = :task_id AND step.id = sub_tasks.item_of
      AND step.input_context -> 'foreach' IS NULL
    """
)
DROP_FILES = text(
    """
    DELETE FROM task_artifacts USING sub_tasks AS step
    WHERE step.task_id = :task_id AND step.id = task_artifacts.sub_task_id
      AND step.item_of IS NULL AND step.input_context -> 'foreach' IS NOT NULL
    """
)

# Items stand where their step does.
FOLLOW_STEPS = text(
    """
    UPDATE sub_tasks SET execution_order = step.execution_order
    FROM sub_tasks AS step
    WHERE sub_tasks.task_id = :task_id AND step.id = sub_tasks.item_of
      AND sub_tasks.execution_order <> step.execution_order
    """
)
