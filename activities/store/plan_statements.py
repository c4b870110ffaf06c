"""The statements of ``plans`` that are more than a change of some columns."""

from sqlalchemy import Text, bindparam, text

from activities.store import events, fence
from activities.store.revision_statements import TURN_OF_CALL, taken_back
from activities.store.task_statements import INSERT_STEPS
from workflows.states import Status

# As the first turn of an execution does (see `turns`): it takes the task over from earlier ones. Of
# a run that a person began there are none.
TAKE_PLAN = text(
    f"""
    WITH before AS (
        SELECT id, CAST(status <> '{Status.RUNNING}' AS int) AS wakes,
               NOT ({fence.IS_LIVING}) AS has_ended,
               coalesce(executions ->> -1 = :execution, false) AS is_ours,
               executions @> to_jsonb(CAST(:execution AS text)) AS was_ours,
               jsonb_array_length(executions) > 0 AS has_begun
        FROM tasks WHERE id = :task_id AND run = :run
        FOR UPDATE
    ), task AS (
        UPDATE tasks
        SET status = '{Status.RUNNING}', started_at = coalesce(started_at, now()),
            finished_at = NULL, error = NULL, result = NULL, updated_at = now(),
            executions = CASE WHEN is_ours THEN executions
                         ELSE executions || to_jsonb(CAST(:execution AS text)) END,
            event_seq = event_seq + wakes
        FROM before
        WHERE tasks.id = before.id
          AND CASE WHEN has_ended THEN has_begun AND NOT was_ours ELSE is_ours OR NOT was_ours END
        RETURNING tasks.id, team_id, event_seq, wakes, is_ours
    ), event AS (
        {events.INSERT}
        {events.status(Status.RUNNING)} FROM task WHERE wakes = 1
    )
    SELECT is_ours, {events.notify("task")} FROM task
    """
)

LOCK_PLAN = text(f"SELECT id FROM tasks WHERE {fence.IS_PRESENT} FOR UPDATE")

# Where the turn of the call whose result is message ``:seq`` ends.
FIND_TURN = text(f"SELECT turn, last FROM ({TURN_OF_CALL}) AS call")

# What came after that turn. The result of the call itself is to be written anew, too.
DROP_LATER = (
    text("DELETE FROM messages WHERE task_id = :task_id AND (seq = :seq OR turn > :turn)"),
    text("DELETE FROM sub_tasks WHERE task_id = :task_id AND execution_order > :last"),
    text(
        f"""
        WITH task AS (
            SELECT id FROM tasks WHERE id = :task_id
        ), {taken_back(":last", where="true")}
        SELECT id FROM task
        """
    ),
)

# All that is not completed, of a plan that is run from its beginning.
BEGIN_ANEW = text(
    f"""
    UPDATE sub_tasks
    SET status = '{Status.PENDING}', error = NULL, started_at = NULL, finished_at = NULL
    WHERE task_id = :task_id AND number IS NOT NULL AND status <> '{Status.COMPLETED}'
      AND output_result ->> 'replaced' IS NULL AND output_result ->> 'dropped' IS NULL
    """
)

WAKE_CALL = text(
    f"""
    UPDATE sub_tasks
    SET status = '{Status.RUNNING}', error = NULL, finished_at = NULL,
        started_at = coalesce(started_at, now())
    WHERE id = :sub_task_id
    RETURNING input_context
    """
)

# What a child has used goes with its messages when it begins again: its plan keeps the sum, as if
# an answer of a turn 0 had broken off.
KEEP_USED = text(
    """
    INSERT INTO lost_answers
        (task_id, turn, execution, team_id, prompt_tokens, completion_tokens, cost_usd)
    SELECT id, 0, :execution, team_id, :tokens, 0, :cost_usd FROM tasks WHERE id = :task_id
    ON CONFLICT (task_id, turn, execution) DO UPDATE
        SET prompt_tokens = lost_answers.prompt_tokens + excluded.prompt_tokens,
            cost_usd = lost_answers.cost_usd + excluded.cost_usd
    """
)

# A child begins again with what its node is now. Its events go on, so that followers miss nothing.
RESTART_CHILD = (
    text("DELETE FROM messages WHERE task_id = :id"),
    text("DELETE FROM sub_tasks WHERE task_id = :id"),
    text(
        f"""
        WITH task AS (
            UPDATE tasks
            SET type = :type, name = :name, prompt = :prompt, priority = :priority,
                definition = CAST(:definition AS jsonb), inputs = CAST(:inputs AS jsonb),
                cache = :cache,
                status = '{Status.PENDING}', run = run + 1, first_step = 0, executions = '[]',
                pause_requested_at = NULL, result = NULL, error = NULL, started_at = NULL,
                finished_at = NULL, updated_at = now(), event_seq = event_seq + 1
            WHERE id = :id
            RETURNING id, team_id, run, event_seq
        ), step AS (
            {INSERT_STEPS}
        ), event AS (
            {events.INSERT} {events.status(Status.PENDING)} FROM task
        )
        SELECT run, {events.notify("task")} FROM task
        """
    ),
)

# The files of the child are files of its node as well. Where several of its steps made one of the
# same name, the last has it. One named ``:output``, which the result of the node is, is called
# ``:instead``, or left out where that is null.
COPY_FILES = text(
    """
    INSERT INTO task_artifacts
        (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
    SELECT DISTINCT ON (made.name)
           gen_random_uuid(), made.team_id, :task_id, :node_id, made.type,
           CASE WHEN made.name = :output THEN :instead ELSE made.name END, made.size,
           made.mime_type, made.sha256
    FROM task_artifacts AS made
    WHERE made.task_id = :child_id AND made.sha256 IS NOT NULL
      AND (made.name <> :output OR CAST(:instead AS text) IS NOT NULL)
    ORDER BY made.name, made.created_at DESC, made.id
    ON CONFLICT (sub_task_id, name) DO UPDATE
        SET id = CASE WHEN task_artifacts.sha256 = excluded.sha256 THEN task_artifacts.id
                 ELSE excluded.id END,
            size = excluded.size, mime_type = excluded.mime_type, sha256 = excluded.sha256
    RETURNING name
    """
).bindparams(bindparam("output", type_=Text()), bindparam("instead", type_=Text()))

SET_RESULT = text(
    f"""
    UPDATE tasks SET result = CAST(:result AS jsonb), updated_at = now() WHERE {fence.IS_PRESENT}
    """
)
