"""What was said in a task, and the turns in which it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select
from sqlmodel import col

from activities.llm.base import Role, ToolRequest
from activities.store.database import Database
from activities.store.reading.cursor import cut_at
from activities.store.reading.identity import ids_in
from activities.store.tables import Message, SubTask, ToldMessage

# A page of messages ends early here, whatever its limit; one message is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of a conversation. Tokens, cost and times are those of the call of the model that
    gave it; ``requests`` are the calls that it asks for. ``from_name``: the person who told it."""

    seq: int
    turn: int
    role: Role
    content: str
    requests: tuple[ToolRequest, ...]
    request_id: str | None
    sub_task_id: UUID | None
    model: str | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    first_token_ms: int | None
    duration_ms: int | None
    created_at: datetime
    from_name: str | None


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """What of a message shows how far a turn is; ``requests`` is how many calls it asks for."""

    turn: int
    role: Role
    requests: int


async def list_messages(
    database: Database, team_id: UUID, task_id: UUID, after: int, limit: int
) -> tuple[Sequence[StoredMessage], int | None]:
    """A page of the conversation from number ``after`` on, and the number of its last message if
    there are more."""
    ours = (col(Message.task_id) == task_id, col(Message.team_id) == team_id)
    query = (
        select(col(Message.seq), func.octet_length(col(Message.content)))
        .where(*ours, col(Message.seq) > after)
        .order_by(col(Message.seq))
        .limit(limit + 1)
    )
    async with database.reading() as connection:
        sizes = (await connection.execute(query)).all()
        count = cut_at([size for _, size in sizes], limit, MAX_PAGE_BYTES)
        if not sizes:
            return [], None
        last = sizes[count - 1][0]
        rows = await connection.execute(
            select(*_MESSAGE, col(ToldMessage.from_name))
            .outerjoin(ToldMessage, _IS_TOLD)
            .where(*ours, col(Message.seq).between(after + 1, last))
            .order_by(col(Message.seq))
        )
        return [_message(row) for row in rows], last if len(sizes) > count else None


async def turn_at(database: Database, task_id: UUID, seq: int) -> int:
    """The turn of message ``seq``; 0 when there is none."""
    async with database.reading(fresh=True) as connection:
        turn = await connection.scalar(
            select(func.max(col(Message.turn))).where(
                col(Message.task_id) == task_id, col(Message.seq) <= seq
            )
        )
    return turn or 0


async def last_message_before(database: Database, task_id: UUID, turn: int) -> int:
    """The number of the last message of the turns before ``turn``; 0 when there is none."""
    async with database.reading(fresh=True) as connection:
        last = await connection.scalar(
            select(func.max(col(Message.seq))).where(
                col(Message.task_id) == task_id, col(Message.turn) < turn
            )
        )
    return last or 0


async def last_message(database: Database, task_id: UUID) -> int:
    """The number of the last message; 0 when there is none."""
    async with database.reading() as connection:
        last = await connection.scalar(
            select(func.max(col(Message.seq))).where(col(Message.task_id) == task_id)
        )
    return last or 0


async def find_turn_of_call(database: Database, task_id: UUID, call: str) -> int | None:
    """The turn in which a call was made, that of the last answer before its result.

    ``call`` is its name, the number that this begins with, such as 4.1, or the id of its sub-task.
    None when there is no such call.
    """
    name = col(SubTask.name)
    is_wanted = or_(
        name == call,
        func.split_part(name, " ", 1) == call,
        *(col(SubTask.id) == key for key in ids_in(call)),
    )
    async with database.reading(fresh=True) as connection:
        order = await connection.scalar(
            select(func.max(col(SubTask.execution_order))).where(
                col(SubTask.task_id) == task_id, is_wanted
            )
        )
        if order is None:
            return None
        turn = await connection.scalar(
            select(func.max(col(Message.turn))).where(
                col(Message.task_id) == task_id,
                col(Message.role) == "assistant",
                col(Message.seq) < order,
            )
        )
    return turn or 0


async def messages_of_last_turn(database: Database, task_id: UUID) -> Sequence[TurnMessage]:
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(Message.turn), col(Message.role), col(Message.requests)).where(
                col(Message.task_id) == task_id,
                col(Message.turn)
                == select(func.max(col(Message.turn)))
                .where(col(Message.task_id) == task_id)
                .scalar_subquery(),
            )
        )
        return [TurnMessage(turn, role, len(requests or ())) for turn, role, requests in rows]


async def has_protected_result(database: Database, task_id: UUID, opening: str) -> bool:
    """Whether a call gave a text that begins so, and that is never shortened for the model."""
    async with database.reading(fresh=True) as connection:
        found = await connection.scalar(
            select(col(Message.seq))
            .where(
                col(Message.task_id) == task_id,
                col(Message.role) == "tool",
                col(Message.is_protected),
                col(Message.content).startswith(opening, autoescape=True),
            )
            .limit(1)
        )
    return found is not None


_MESSAGE = (
    col(Message.seq),
    col(Message.turn),
    col(Message.role),
    col(Message.content),
    col(Message.requests),
    col(Message.request_id),
    col(Message.sub_task_id),
    col(Message.model),
    col(Message.prompt_tokens),
    col(Message.completion_tokens),
    col(Message.cost_usd),
    col(Message.first_token_ms),
    col(Message.duration_ms),
    col(Message.created_at),
)


_IS_TOLD = and_(
    col(ToldMessage.task_id) == col(Message.task_id), col(ToldMessage.seq) == col(Message.seq)
)


def _message(row: Row[*tuple[Any, ...]]) -> StoredMessage:
    return StoredMessage(
        seq=row.seq,
        turn=row.turn,
        role=row.role,
        content=row.content,
        requests=tuple(ToolRequest(**request) for request in row.requests or ()),
        request_id=row.request_id,
        sub_task_id=row.sub_task_id,
        model=row.model,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost_usd=row.cost_usd,
        first_token_ms=row.first_token_ms,
        duration_ms=row.duration_ms,
        created_at=row.created_at,
        from_name=row.from_name,
    )
