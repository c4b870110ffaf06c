"""Writing the turns of an agent. Each function is one statement, and safe to repeat.

Temporal may reset a run to an earlier turn, and a person may retry one: both continue under another
run id. Its first turn takes the task over and drops everything after the point from which it
continues. Writes of the previous run are then fenced off, as are those of earlier runs of the task.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import select
from sqlmodel import col

from activities.llm.base import NO_CHARGE, Answer, Charge, ChatMessage, ToolRequest
from activities.llm.opaque import Opaque
from activities.store import events
from activities.store.approvals import Approval
from activities.store.database import Database
from activities.store.tables import Message, SubTask
from activities.store.turn_statements import (
    ADD_EVENTS,
    BEGIN_TURN,
    COUNT_LOST,
    END_TURN,
    TELL_OF_TROUBLE,
)
from workflows.agent_contracts import Thought, call_sub_task_id
from workflows.contracts import Failure
from workflows.errors.tasks import TaskMoved
from workflows.events import Event, LlmRestarted, TurnStarted, Usage
from workflows.states import Status, TaskType


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that ``execution``, a Temporal run id, makes. ``seq`` is the last message before.

    ``routes``: it is to choose what the task is, which is of type ``auto`` until then.
    """

    task_id: UUID
    run: int
    turn: int
    seq: int
    execution: str
    routes: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """``what`` a turn waits for, and ``until`` when at the latest."""

    what: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class BegunTurn:
    """What a turn works with: the task, and the messages from number ``known`` + 1 on.

    ``told`` is what people have told its agent that the model has not read, by number, and
    ``told_number`` the number of the last message that they have.

    ``thought`` is set when the turn has been made already. ``tokens_today`` are the team's, and
    ``daily_tokens`` its own quota, if it has one. ``lost`` is what earlier attempts took whose
    answers broke off.
    """

    team_id: UUID
    task_type: TaskType
    definition: dict[str, Any]
    prompt: str
    inputs: dict[str, str]
    messages: tuple[ChatMessage, ...]
    told: Mapping[int, str]
    told_number: int
    thought: Thought | None
    tokens_today: int
    daily_tokens: int | None
    lost: Charge


class CallDefinition(BaseModel):
    """What a tool call is. ``request_id`` is the model's own name for it, ``digest`` that of the
    tool's definition, where it could be changed by others. ``is_edited``: the arguments are not
    those that the model gave, but those of the person who approved it."""

    model_config = ConfigDict(frozen=True)

    tool: str
    arguments: dict[str, JsonValue]
    turn: int
    request_id: str
    is_retry_safe: bool
    digest: str | None = None
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that is to be made; its result will be message ``seq``."""

    seq: int
    name: str
    task_type: Literal["skill", "code", "tool", "plan", "route"]
    definition: CallDefinition
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class EndedTurn:
    """What a turn writes. ``messages`` by number: what comes before the answer, the answer itself,
    and the results of calls that need no run.

    ``lost`` is what answers took that broke off before, and was counted as the team's already.
    ``result`` is the task's, when the model has finished. ``read`` are the numbers of what it was
    told, each with that of the message in which it read it. With a ``told_number`` nothing is
    written if people have told it more than that.
    """

    messages: Mapping[int, ChatMessage]
    answer: Answer
    thought: Thought
    calls: tuple[Call, ...] = ()
    result: Mapping[str, JsonValue] | None = None
    events: tuple[Event, ...] = ()
    lost: Charge = NO_CHARGE
    read: Mapping[int, int] = field(default_factory=dict)
    told_number: int | None = None


async def begin_turn(
    database: Database, turn: Turn, *, known: int, is_repeated: bool = False
) -> BegunTurn:
    """Set the task running, and read what is new since message ``known``.

    Raises:
        TaskMoved: the task has ended, was started again or is worked on by a later execution.
    """
    event = LlmRestarted(turn=turn.turn) if is_repeated else TurnStarted(turn=turn.turn)
    values = {**_fence(turn), **events.values([event]), "known": known, "routes": turn.routes}
    rows = await database.execute(BEGIN_TURN, values)
    if not rows:
        raise TaskMoved(task_id=turn.task_id)
    [row] = rows
    return BegunTurn(
        team_id=row.team_id,
        task_type=TaskType(row.type),
        definition=row.definition,
        prompt=row.prompt or "",
        inputs=row.inputs,
        messages=tuple(message_of(item) for item in row.heard or ()),
        told={item["number"]: item["content"] for item in row.told or ()},
        told_number=row.told_number,
        thought=row.thought and Thought.model_validate(row.thought),
        tokens_today=row.tokens_today or 0,
        daily_tokens=row.daily_tokens,
        lost=Charge(row.lost_prompt or 0, row.lost_completion or 0, row.lost_usd or 0.0),
    )


async def count_lost(database: Database, turn: Turn, lost: Charge) -> None:
    """Count what an answer took that broke off. Not safe to repeat: it would count again."""
    event = Usage(turn=turn.turn, tokens=lost.tokens, **asdict(lost), is_lost=True)
    values = {
        **_fence(turn),
        **events.values([event]),
        "prompt_tokens": lost.prompt_tokens,
        "completion_tokens": lost.completion_tokens,
        "team_tokens": lost.tokens,
        "team_usd": lost.cost_usd,
    }
    await database.execute(COUNT_LOST, values)


async def add_events(database: Database, turn: Turn, new: tuple[Event, ...]) -> None:
    """Tell of a turn while it is made; nothing once it no longer counts."""
    await database.execute(ADD_EVENTS, {**_fence(turn), **events.values(new)})


async def tell_of_trouble(
    database: Database,
    turn: Turn,
    failure: Failure | None,
    new: tuple[Event, ...],
    wait: Wait | None = None,
) -> None:
    """Say what a turn failed of, if it did, and what it waits for before the model is asked again:
    to those who watch, and in the task's row, until then. If it is not asked again, the end of the
    task finds the failure there."""
    values = {
        **_fence(turn),
        **events.values(new),
        "error": None if failure is None else failure.model_dump_json(exclude_none=True),
        "waits_for": None if wait is None else wait.what,
        "next_attempt_at": None if wait is None else wait.until,
    }
    await database.execute(TELL_OF_TROUBLE, values)


async def end_turn(database: Database, turn: Turn, ended: EndedTurn) -> bool:
    """Write an answer, with the calls that it asks for. False when it no longer counts."""
    charge = ended.answer.charge
    whole = charge + ended.lost
    values = {
        **_fence(turn),
        **events.values(ended.events),
        "messages": events.as_json(
            [{"seq": seq, **asdict(message)} for seq, message in ended.messages.items()]
        ),
        "calls": events.as_json([_call_row(turn, call) for call in ended.calls]),
        "thought": ended.thought.model_dump_json(),
        "result": None if ended.result is None else events.as_json(ended.result),
        "read": events.as_json([{"number": n, "seq": seq} for n, seq in ended.read.items()]),
        "told_number": ended.told_number,
        "team_tokens": charge.tokens,
        "answer_prompt_tokens": charge.prompt_tokens,
        "answer_completion_tokens": charge.completion_tokens,
        "team_usd": charge.cost_usd,
        "prompt_tokens": whole.prompt_tokens,
        "completion_tokens": whole.completion_tokens,
        "cost_usd": whole.cost_usd,
        "model": ended.answer.model,
        "first_token_ms": ended.answer.first_token_ms,
        "duration_ms": ended.answer.duration_ms,
    }
    try:
        return bool(await database.execute(END_TURN, values))
    except asyncpg.UniqueViolationError:
        # Another attempt at this turn wrote it while this one waited: what the statement looks up
        # is as it was before.
        return False


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
    }


def message_of(item: dict[str, Any]) -> ChatMessage:
    """A message as a statement gives it, in JSON."""
    requests = tuple(ToolRequest(**request) for request in item.pop("requests") or ())
    kept = item.pop("opaque")
    opaque = kept and Opaque(kept["model"], kept["fields"], tuple(kept["calls"]))
    return ChatMessage(**item, requests=requests, opaque=opaque)


def _call_row(turn: Turn, call: Call) -> dict[str, Any]:
    return {
        "id": str(call_sub_task_id(turn.task_id, call.seq)),
        "seq": call.seq,
        "name": call.name,
        "task_type": call.task_type,
        "definition": call.definition.model_dump(mode="json"),
        "approval": call.approval and call.approval.model_dump(mode="json", exclude_none=True),
        "status": Status.WAITING if call.approval else Status.QUEUED,
    }
