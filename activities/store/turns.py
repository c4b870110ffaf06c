"""Writing the turns of an agent. Each function is one statement, and safe to repeat.

Temporal may reset a run to an earlier turn, and a person may retry one: both go on under another
run id. The first that a turn of it does is to take the task over and to drop what lies behind the
point where it goes on. What the run before still does is then fenced off, as is what belongs to an
earlier run of the task.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import select, text
from sqlmodel import col

from activities.llm.base import NO_CHARGE, Answer, Charge, ChatMessage, ToolRequest
from activities.store import events
from activities.store.approvals import Approval
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.tables import Message, SubTask, Task
from workflows.contracts import FINAL, Thought, call_sub_task_id
from workflows.errors import TaskMoved


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that ``execution``, a Temporal run id, makes. ``seq`` is the last message before."""

    task_id: UUID
    run: int
    turn: int
    seq: int
    execution: str


@dataclass(frozen=True, slots=True)
class BegunTurn:
    """What a turn works with: the task, and the messages from number ``known`` + 1 on.

    ``thought`` is set when the turn has been made already. ``tokens_today`` are the team's, and
    ``daily_tokens`` its own quota, if it has one. ``lost`` is what earlier attempts took whose
    answers broke off.
    """

    team_id: UUID
    definition: dict[str, Any]
    prompt: str
    inputs: dict[str, str]
    messages: tuple[ChatMessage, ...]
    thought: Thought | None
    tokens_today: int
    daily_tokens: int | None
    lost: Charge


class CallDefinition(BaseModel):
    """What a tool call is. ``request_id`` is the model's own name for it."""

    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, JsonValue]
    turn: int
    request_id: str
    is_retry_safe: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that is to be made; its result will be message ``seq``."""

    seq: int
    name: str
    task_type: Literal["skill", "code", "tool"]
    definition: CallDefinition
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class EndedTurn:
    """What a turn writes. ``messages`` by number: what comes before the answer, the answer itself,
    and the results of calls that need no run.

    ``lost`` is what answers took that broke off before, and was counted as the team's already.
    ``result`` is the task's, when the model has finished.
    """

    messages: Mapping[int, ChatMessage]
    answer: Answer
    thought: Thought
    calls: tuple[Call, ...] = ()
    result: Mapping[str, JsonValue] | None = None
    events: tuple[EventDraft, ...] = ()
    lost: Charge = NO_CHARGE


async def begin_turn(
    database: Database, turn: Turn, *, known: int, is_repeated: bool = False
) -> BegunTurn:
    """Set the task running, and read what is new since message ``known``.

    Raises:
        TaskMoved: the task has ended, was started again or is worked on by a later execution.
    """
    event = events.as_json({"turn": turn.turn})
    values = {
        **_fence(turn),
        "known": known,
        "is_repeated": is_repeated,
        "event_type": "llm.restarted" if is_repeated else "turn.started",
        "event": event,
    }
    rows = await database.execute(_BEGIN, values)
    if not rows:
        raise TaskMoved(task_id=turn.task_id)
    [row] = rows
    return BegunTurn(
        team_id=row.team_id,
        definition=row.definition,
        prompt=row.prompt or "",
        inputs=row.inputs,
        messages=tuple(_message(item) for item in row.heard or ()),
        thought=row.thought and Thought.model_validate(row.thought),
        tokens_today=row.tokens_today or 0,
        daily_tokens=row.daily_tokens,
        lost=Charge(row.lost_prompt or 0, row.lost_completion or 0, row.lost_usd or 0.0),
    )


async def count_lost(database: Database, turn: Turn, lost: Charge) -> None:
    """Count what an answer took that broke off. Not safe to repeat: it would count again."""
    data = {"turn": turn.turn, "tokens": lost.tokens, **asdict(lost), "is_lost": True}
    values = {
        **_fence(turn),
        "tokens": lost.tokens,
        "cost_usd": lost.cost_usd,
        "event": events.as_json(data),
    }
    await database.execute(_LOSE, values)


async def add_events(database: Database, turn: Turn, drafts: tuple[EventDraft, ...]) -> None:
    """Tell of a turn while it is made; nothing once it no longer counts."""
    values = {
        **_fence(turn),
        "count": len(drafts),
        "drafts": events.document(drafts),
    }
    await database.execute(_TELL, values)


async def end_turn(database: Database, turn: Turn, ended: EndedTurn) -> bool:
    """Write an answer, with the calls that it asks for. False when it no longer counts."""
    charge = ended.answer.charge
    whole = charge + ended.lost
    values = {
        **_fence(turn),
        "messages": events.as_json(
            [{"seq": seq, **asdict(message)} for seq, message in ended.messages.items()]
        ),
        "calls": events.as_json([_call_row(turn, call) for call in ended.calls]),
        "thought": ended.thought.model_dump_json(),
        "result": None if ended.result is None else events.as_json(ended.result),
        "team_tokens": charge.tokens,
        "team_usd": charge.cost_usd,
        "prompt_tokens": whole.prompt_tokens,
        "completion_tokens": whole.completion_tokens,
        "cost_usd": whole.cost_usd,
        "model": ended.answer.model,
        "first_token_ms": ended.answer.first_token_ms,
        "duration_ms": ended.answer.duration_ms,
        "count": len(ended.events),
        "drafts": events.document(ended.events),
    }
    return bool(await database.execute(_END, values))


async def read_agent(database: Database, task_id: UUID) -> dict[str, Any]:
    """The definition of a task's agent."""
    async with database.reading(fresh=True) as connection:
        found = await connection.scalar(select(col(Task.definition)).where(col(Task.id) == task_id))
    return found or {}


async def status_of_call(database: Database, task_id: UUID, seq: int, execution: str) -> str | None:
    """How a call ended whose result ``execution`` has written already; None if it has not."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(
            select(col(SubTask.status))
            .join(Message, col(Message.task_id) == col(SubTask.task_id))
            .where(
                col(SubTask.id) == call_sub_task_id(task_id, seq),
                col(Message.seq) == seq,
                col(Message.execution) == execution,
            )
        )


def _fence(turn: Turn) -> dict[str, Any]:
    return {
        "task_id": turn.task_id,
        "run": turn.run,
        "turn": turn.turn,
        "seq": turn.seq,
        "execution": turn.execution,
        "final": [str(status) for status in FINAL],
        "channel": events.CHANNEL,
    }


def _message(item: dict[str, Any]) -> ChatMessage:
    requests = tuple(ToolRequest(**request) for request in item.pop("requests") or ())
    return ChatMessage(**item, requests=requests)


def _call_row(turn: Turn, call: Call) -> dict[str, Any]:
    return {
        "id": str(call_sub_task_id(turn.task_id, call.seq)),
        "seq": call.seq,
        "name": call.name,
        "task_type": call.task_type,
        "definition": call.definition.model_dump(mode="json"),
        "approval": call.approval and call.approval.model_dump(mode="json", exclude_none=True),
        "status": "waiting" if call.approval else "queued",
    }


_BEGIN = text(
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

_LOSE = text(
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

_TELL = text(
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

_END = text(
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
