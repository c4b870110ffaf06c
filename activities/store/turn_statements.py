"""The statements of ``turns``, each a whole: one round trip and one commit."""

from sqlalchemy import text

from activities.store import events, fence
from activities.store.model_usage import count_for_model
from activities.store.revision_statements import taken_back
from workflows.states import Status, TaskType

_COUNT_FOR_TEAM = """
    INSERT INTO team_usage (team_id, day, tokens, cost_usd)
    SELECT team_id, (now() AT TIME ZONE 'utc')::date, :team_tokens, :team_usd FROM task
    ON CONFLICT (team_id, day) DO UPDATE
        SET tokens = team_usage.tokens + excluded.tokens,
            cost_usd = team_usage.cost_usd + excluded.cost_usd
"""

_COUNT_FOR_MODEL = count_for_model(
    "task", ":answer_prompt_tokens", ":answer_completion_tokens", ":team_usd"
)

# 1 if the model is asked, 0 if this turn has its answer already.
_ASKS = "CAST(NOT EXISTS (SELECT FROM answer) AS int)"

BEGIN_TURN = text(
    f"""
    WITH before AS (
        SELECT id, CAST(status <> '{Status.RUNNING}' AS int) AS wakes,
               NOT ({fence.IS_LIVING}) AS has_ended,
               coalesce(executions ->> -1 = :execution, false) AS is_ours,
               executions @> to_jsonb(CAST(:execution AS text)) AS was_ours,
               jsonb_array_length(executions) > 0 AS has_begun
        FROM tasks
        -- No turn of a router that comes late, or again, undoes what the task has become.
        WHERE id = :task_id AND run = :run AND (type = '{TaskType.AUTO}') = :routes
        FOR UPDATE
    ), answer AS (
        SELECT thought FROM messages
        WHERE task_id = :task_id AND seq > :seq AND turn = :turn AND execution = :execution
          AND role = 'assistant'
    ), task AS (
        UPDATE tasks
        SET status = '{Status.RUNNING}', started_at = coalesce(started_at, now()),
            finished_at = NULL, error = NULL, result = NULL, updated_at = now(),
            waits_for = NULL, next_attempt_at = NULL,
            executions = CASE WHEN is_ours THEN executions
                         ELSE executions || to_jsonb(CAST(:execution AS text)) END,
            event_seq = event_seq + wakes + {_ASKS}
        FROM before
        WHERE tasks.id = before.id
          -- A run that has ended resumes when it is reset, and then under another run id; one that
          -- was cancelled before it began does not.
          AND CASE WHEN has_ended THEN has_begun AND NOT was_ours ELSE is_ours OR NOT was_ours END
        RETURNING tasks.id, team_id, type, definition, prompt, inputs, event_seq, wakes, is_ours,
                  event_seq - 1 AS base
    ), gone AS (
        DELETE FROM messages USING task
        WHERE NOT is_ours AND messages.task_id = task.id AND seq > :seq
    ), dropped AS (
        DELETE FROM sub_tasks USING task
        WHERE NOT is_ours AND sub_tasks.task_id = task.id AND execution_order > :seq
    ), untold AS (
        -- What was told after that is read again.
        UPDATE told_messages SET seq = NULL FROM task
        WHERE NOT is_ours AND told_messages.task_id = task.id AND told_messages.seq > :seq
    ), {taken_back(":seq", where="NOT is_ours")}, event AS (
        {events.INSERT}
        {events.status(Status.RUNNING, seq=f"event_seq - {_ASKS}")} FROM task WHERE wakes = 1
        UNION ALL
        {events.given("task")} WHERE NOT EXISTS (SELECT FROM answer)
    ), heard AS (
        SELECT jsonb_agg(jsonb_build_object(
            'role', role, 'content', content, 'requests', requests, 'request_id', request_id,
            'turn', turn, 'is_protected', is_protected, 'opaque', opaque) ORDER BY seq) AS messages
        FROM messages WHERE task_id = :task_id AND seq > :known AND seq <= :seq
    ), told AS (
        SELECT jsonb_agg(jsonb_build_object('number', number, 'content', content) ORDER BY number)
            AS messages
        FROM told_messages WHERE task_id = :task_id AND (seq IS NULL OR seq > :seq)
    )
    SELECT task.team_id, task.type, definition, prompt, inputs, heard.messages AS heard,
           (SELECT thought FROM answer) AS thought, told.messages AS told,
           -- As this statement sees it: one that comes at this moment has a higher number.
           (SELECT seen.told_number FROM tasks AS seen WHERE seen.id = :task_id) AS told_number,
           (SELECT tokens FROM team_usage
            WHERE team_usage.team_id = task.team_id AND day = (now() AT TIME ZONE 'utc')::date
           ) AS tokens_today,
           (SELECT daily_tokens FROM teams WHERE teams.id = task.team_id) AS daily_tokens,
           lost.prompt_tokens AS lost_prompt, lost.completion_tokens AS lost_completion,
           lost.cost_usd AS lost_usd,
           {events.notify("task")}
    FROM heard, told, task LEFT JOIN lost_answers AS lost
        ON lost.task_id = task.id AND lost.turn = :turn AND lost.execution = :execution
    """
)

COUNT_LOST = text(
    f"""
    WITH task AS (
        UPDATE tasks SET {events.COUNT} WHERE {fence.IS_PRESENT} RETURNING {events.NUMBERED}
    ), lost AS (
        INSERT INTO lost_answers
            (task_id, turn, execution, team_id, prompt_tokens, completion_tokens, cost_usd)
        SELECT id, :turn, :execution, team_id, :prompt_tokens, :completion_tokens, :team_usd
        FROM task
        ON CONFLICT (task_id, turn, execution) DO UPDATE
            SET prompt_tokens = lost_answers.prompt_tokens + excluded.prompt_tokens,
                completion_tokens = lost_answers.completion_tokens + excluded.completion_tokens,
                cost_usd = lost_answers.cost_usd + excluded.cost_usd
    ), used AS (
        {_COUNT_FOR_TEAM}
    ), event AS (
        {events.INSERT} {events.given("task")}
    )
    SELECT {events.notify("task")} FROM task
    """
)

ADD_EVENTS = text(
    f"""
    WITH task AS (
        UPDATE tasks SET {events.COUNT} WHERE {fence.IS_PRESENT} RETURNING {events.NUMBERED}
    ), event AS (
        {events.INSERT} {events.given("task")}
    )
    SELECT {events.notify("task")} FROM task
    """
)

# The error stands there until the turn begins anew, or the task ends.
TELL_OF_FAILURE = events.change("error = CAST(:error AS jsonb)", where=fence.IS_PRESENT)

# So it does, with what the turn waits for.
TELL_OF_TROUBLE = events.change(
    "error = CAST(:error AS jsonb)",
    "waits_for = CAST(:waits_for AS text)",
    "next_attempt_at = CAST(:next_attempt_at AS timestamptz)",
    where=fence.IS_PRESENT,
)

END_TURN = text(
    f"""
    WITH task AS (
        UPDATE tasks
        SET {events.COUNT}, result = CAST(:result AS jsonb)
        WHERE {fence.IS_PRESENT}
          -- Written already, and the answer to that got lost.
          AND NOT EXISTS (SELECT FROM messages WHERE task_id = :task_id AND seq > :seq)
          -- By the row itself: of other tables this sees nothing that came while it waited for it.
          AND (CAST(:told_number AS int) IS NULL OR tasks.told_number <= :told_number)
        RETURNING {events.NUMBERED}
    ), message AS (
        INSERT INTO messages
            (task_id, seq, team_id, turn, role, content, requests, request_id, is_protected,
             opaque, execution, thought, model, prompt_tokens, completion_tokens, cost_usd,
             first_token_ms, duration_ms)
        SELECT task.id, x.seq, task.team_id, x.turn, x.role, x.content, x.requests, x.request_id,
               x.is_protected, nullif(x.opaque, 'null'), :execution,
               CASE WHEN answers THEN CAST(:thought AS jsonb) END,
               CASE WHEN answers THEN :model END,
               CASE WHEN answers THEN CAST(:prompt_tokens AS int) ELSE 0 END,
               CASE WHEN answers THEN CAST(:completion_tokens AS int) ELSE 0 END,
               CASE WHEN answers THEN CAST(:cost_usd AS float) ELSE 0 END,
               CASE WHEN answers THEN CAST(:first_token_ms AS int) END,
               CASE WHEN answers THEN CAST(:duration_ms AS int) END
        FROM task, jsonb_to_recordset(CAST(:messages AS jsonb)) AS x(
            seq int, turn int, role text, content text, requests jsonb, request_id text,
            is_protected bool, opaque jsonb
        ), LATERAL (SELECT x.role = 'assistant' AS answers) AS kind
    ), call AS (
        INSERT INTO sub_tasks
            (id, team_id, task_id, parent_id, name, task_type, status, dependencies,
             input_context, approval, retry_count, execution_order)
        SELECT x.id, task.team_id, task.id, task.id, x.name, x.task_type, x.status, '[]',
               x.definition, x.approval, 0, x.seq
        FROM task, jsonb_to_recordset(CAST(:calls AS jsonb)) AS x(
            id uuid, seq int, name text, task_type text, status text, definition jsonb,
            approval jsonb
        )
    ), read AS (
        UPDATE told_messages SET seq = x.seq
        FROM task, jsonb_to_recordset(CAST(:read AS jsonb)) AS x(number int, seq int)
        WHERE told_messages.task_id = task.id AND told_messages.number = x.number
    ), said AS (
        DELETE FROM events USING task WHERE events.task_id = task.id AND {events.IS_OLD_DELTA}
    ), used AS (
        {_COUNT_FOR_TEAM}
    ), of_model AS (
        {_COUNT_FOR_MODEL}
    ), event AS (
        {events.INSERT} {events.given("task")}
    )
    SELECT {events.notify("task")} FROM task
    """
)
