"""Answers that are cut short: what the model has said of one is kept as the answer."""

from sqlalchemy import text

from activities.store import events, fence
from activities.store.database import Database
from workflows.events import EventType, MessageCreated
from workflows.resident_contracts import CutCall


async def cut_short(database: Database, call: CutCall, execution: str) -> None:
    """Write down, as the answer, what the model has said in a turn that is not to be finished. A
    repeat changes nothing."""
    # Before the first answer nothing is written, not even what it answers.
    seq = call.seq + 1 if call.seq else 2
    said = MessageCreated(turn=call.turn, seq=seq, role="assistant")
    values = {
        "task_id": call.task_id,
        "run": call.run,
        "turn": call.turn,
        "seq": call.seq,
        "said_seq": seq,
        "execution": execution,
        **events.values([said]),
    }
    await database.execute(_CUT_SHORT, values)


# The text that was streamed, since the model was asked last in this turn; where it had called tools
# before, what it said with that call is the answer.
_CUT_SHORT = text(
    f"""
    WITH began AS (
        SELECT coalesce(max(seq), 0) AS seq FROM events
        WHERE task_id = :task_id
          AND type IN ('{EventType.TURN_STARTED}', '{EventType.LLM_RESTARTED}')
          AND CAST(data ->> 'turn' AS int) = :turn
    ), said AS (
        SELECT coalesce(string_agg(data ->> 'text', '' ORDER BY events.seq), '') AS text
        FROM events, began
        WHERE task_id = :task_id AND type = '{EventType.LLM_DELTA}' AND events.seq > began.seq
          AND CAST(data ->> 'turn' AS int) = :turn
    ), before AS (
        SELECT content FROM messages
        WHERE task_id = :task_id AND role = 'assistant' ORDER BY seq DESC LIMIT 1
    ), is_written AS (
        SELECT EXISTS (SELECT FROM messages WHERE task_id = :task_id AND seq > :seq) AS so
    ), answer AS (
        SELECT CASE WHEN said.text = '' OR is_written.so
               THEN coalesce((SELECT content FROM before), '') ELSE said.text END AS reply,
               said.text <> '' AND NOT is_written.so AS is_new
        FROM said, is_written
    ), task AS (
        UPDATE tasks
        SET event_seq = event_seq + CAST(is_new AS int), updated_at = now(),
            result = jsonb_build_object('reply', reply, 'interrupted', true)
        FROM answer
        WHERE {fence.IS_PRESENT} AND result IS NULL
        RETURNING tasks.id, tasks.team_id, event_seq - 1 AS base, prompt, reply, is_new
    ), message AS (
        INSERT INTO messages
            (task_id, seq, team_id, turn, role, content, is_protected, execution, prompt_tokens,
             completion_tokens, cost_usd)
        SELECT id, x.seq, team_id, :turn, role, content, false, :execution, 0, 0, 0
        FROM task, LATERAL (
            VALUES (1, 'user', prompt, CAST(:seq AS int) = 0),
                   (CAST(:said_seq AS int), 'assistant', reply, true)
        ) AS x(seq, role, content, is_wanted)
        WHERE is_new AND is_wanted
    ), event AS (
        {events.INSERT} {events.given("task")} WHERE is_new
    )
    SELECT {events.notify("task")} FROM task
    """
)
