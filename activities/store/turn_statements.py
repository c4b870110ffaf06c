"""The statements of ``turns``, each a whole: one round trip and one commit."""

from sqlalchemy import text

BEGIN_TURN = text(
    """
    WITH before AS (
        SELECT id, CAST(status <> 'running' AS int) AS wakes, status = ANY (:final) AS has_ended,
               coalesce(executions ->> -1 = :execution, false) AS is_ours,
               executions @> to_jsonb(CAST(:execution AS text)) AS was_ours,
               jsonb_array_length(executions) > 0 AS has_begun
        FROM tasks WHERE id = :task_id AND run = :run
        FOR UPDATE
    ), answer AS (
        SELECT thought FROM messages
        WHERE task_id = :task_id AND seq > :seq AND turn = :turn AND execution = :execution
          AND role = 'assistant'
    ), task AS (
        UPDATE tasks
        SET status = 'running', started_at = coalesce(started_at, now()), finished_at = NULL,
            error = NULL, result = NULL, updated_at = now(),
            executions = CASE WHEN is_ours THEN executions
                         ELSE executions || to_jsonb(CAST(:execution AS text)) END,
            event_seq = event_seq + wakes + CAST(NOT EXISTS (SELECT FROM answer) AS int)
        FROM before
        WHERE tasks.id = before.id
          -- A run that has ended goes on when it is reset, and then under another run id; one that
          -- was cancelled before it began does not.
          AND CASE WHEN has_ended THEN has_begun AND NOT was_ours ELSE is_ours OR NOT was_ours END
        RETURNING tasks.id, team_id, definition, prompt, inputs, event_seq, wakes, is_ours
    ), gone AS (
        DELETE FROM messages USING task
        WHERE NOT is_ours AND messages.task_id = task.id AND seq > :seq
    ), dropped AS (
        DELETE FROM sub_tasks USING task
        WHERE NOT is_ours AND sub_tasks.task_id = task.id AND execution_order > :seq
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, event_seq - CAST(NOT EXISTS (SELECT FROM answer) AS int), team_id,
               'task.status', '{"status": "running"}'
        FROM task WHERE wakes = 1
        UNION ALL
        SELECT id, event_seq, team_id, :event_type, CAST(:event AS jsonb)
        FROM task WHERE NOT EXISTS (SELECT FROM answer)
    ), heard AS (
        SELECT jsonb_agg(jsonb_build_object(
            'role', role, 'content', content, 'requests', requests, 'request_id', request_id,
            'turn', turn, 'is_protected', is_protected) ORDER BY seq) AS messages
        FROM messages WHERE task_id = :task_id AND seq > :known AND seq <= :seq
    ), told AS (
        SELECT seq, type, data FROM events
        WHERE CAST(:is_repeated AS bool) AND task_id = :task_id
          AND type IN ('turn.started', 'usage') AND CAST(data ->> 'turn' AS int) = :turn
    ), lost AS (
        SELECT sum(CAST(data ->> 'prompt_tokens' AS bigint))::bigint AS lost_prompt,
               sum(CAST(data ->> 'completion_tokens' AS bigint))::bigint AS lost_completion,
               sum(CAST(data ->> 'cost_usd' AS float)) AS lost_usd
        FROM told
        WHERE data @> '{"is_lost": true}'
          -- Not what was lost before a reset: another execution began the turn then.
          AND seq > (SELECT max(seq) FROM told WHERE type = 'turn.started')
    )
    SELECT task.team_id, definition, prompt, inputs, heard.messages AS heard,
           (SELECT thought FROM answer) AS thought,
           (SELECT tokens FROM team_usage
            WHERE team_usage.team_id = task.team_id AND day = (now() AT TIME ZONE 'utc')::date
           ) AS tokens_today,
           (SELECT daily_tokens FROM teams WHERE teams.id = task.team_id) AS daily_tokens,
           lost_prompt, lost_completion, lost_usd,
           pg_notify(:channel, CAST(task.id AS text))
    FROM task, heard, lost
    """
)

COUNT_LOST = text(
    """
    WITH task AS (
        UPDATE tasks SET event_seq = event_seq + 1, updated_at = now()
        WHERE id = :task_id AND run = :run AND status <> ALL (:final)
          AND executions ->> -1 = :execution
        RETURNING id, team_id, event_seq
    ), used AS (
        INSERT INTO team_usage (team_id, day, tokens, cost_usd)
        SELECT team_id, (now() AT TIME ZONE 'utc')::date, :tokens, :cost_usd FROM task
        ON CONFLICT (team_id, day) DO UPDATE
            SET tokens = team_usage.tokens + excluded.tokens,
                cost_usd = team_usage.cost_usd + excluded.cost_usd
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, event_seq, team_id, 'usage', CAST(:event AS jsonb) FROM task
    )
    SELECT pg_notify(:channel, CAST(id AS text)) FROM task
    """
)

ADD_EVENTS = text(
    """
    WITH task AS (
        UPDATE tasks SET event_seq = event_seq + :count, updated_at = now()
        WHERE id = :task_id AND run = :run AND status <> ALL (:final)
          AND executions ->> -1 = :execution
        RETURNING id, team_id, event_seq - :count AS base
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, base + place, team_id, draft ->> 'type', draft -> 'data'
        FROM task, jsonb_array_elements(CAST(:drafts AS jsonb)) WITH ORDINALITY AS x(draft, place)
    )
    SELECT pg_notify(:channel, CAST(id AS text)) FROM task
    """
)

END_TURN = text(
    """
    WITH task AS (
        UPDATE tasks
        SET event_seq = event_seq + :count, updated_at = now(),
            result = CAST(:result AS jsonb)
        WHERE id = :task_id AND run = :run AND status <> ALL (:final)
          AND executions ->> -1 = :execution
          -- Written already, and the answer to that got lost.
          AND NOT EXISTS (SELECT FROM messages WHERE task_id = :task_id AND seq > :seq)
        RETURNING id, team_id, event_seq - :count AS base
    ), message AS (
        INSERT INTO messages
            (task_id, seq, team_id, turn, role, content, requests, request_id, is_protected,
             execution, thought, model, prompt_tokens, completion_tokens, cost_usd,
             first_token_ms, duration_ms)
        SELECT task.id, x.seq, task.team_id, x.turn, x.role, x.content, x.requests, x.request_id,
               x.is_protected, :execution,
               CASE WHEN answers THEN CAST(:thought AS jsonb) END,
               CASE WHEN answers THEN :model END,
               CASE WHEN answers THEN CAST(:prompt_tokens AS int) ELSE 0 END,
               CASE WHEN answers THEN CAST(:completion_tokens AS int) ELSE 0 END,
               CASE WHEN answers THEN CAST(:cost_usd AS float) ELSE 0 END,
               CASE WHEN answers THEN CAST(:first_token_ms AS int) END,
               CASE WHEN answers THEN CAST(:duration_ms AS int) END
        FROM task, jsonb_to_recordset(CAST(:messages AS jsonb)) AS x(
            seq int, turn int, role text, content text, requests jsonb, request_id text,
            is_protected bool
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
    ), used AS (
        INSERT INTO team_usage (team_id, day, tokens, cost_usd)
        SELECT team_id, (now() AT TIME ZONE 'utc')::date, :team_tokens, :team_usd FROM task
        ON CONFLICT (team_id, day) DO UPDATE
            SET tokens = team_usage.tokens + excluded.tokens,
                cost_usd = team_usage.cost_usd + excluded.cost_usd
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, base + place, team_id, draft ->> 'type', draft -> 'data'
        FROM task, jsonb_array_elements(CAST(:drafts AS jsonb)) WITH ORDINALITY AS x(draft, place)
    )
    SELECT id, pg_notify(:channel, CAST(id AS text)) FROM task
    """
)
