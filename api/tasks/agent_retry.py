"""Where an agent goes on when a person runs its task again: after a turn that is whole."""

from collections import Counter
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Message, SubTask
from api.errors import InvalidRequest
from api.tasks.queries import StoredTask, ids_in
from workflows.pointers import Problem
from workflows.states import Status

BEGIN_ANEW = "start"


def wrong_begin(message: str) -> InvalidRequest:
    return InvalidRequest([Problem("/from", message)])


async def last_kept_message(database: Database, task: StoredTask, begin: str | None) -> int:
    """The number of the last message that the next run keeps; 0 when it begins anew.

    ``begin`` is the name or the id of a call: its turn and what follows are done again.

    Raises:
        InvalidRequest
    """
    if begin == BEGIN_ANEW:
        return 0
    async with database.reading(fresh=True) as connection:
        if begin is not None:
            return await _before_turn(connection, task.id, await _turn_of(connection, task, begin))
        if task.status is Status.COMPLETED:
            message = f"the agent has finished; name the call to go on before, or {BEGIN_ANEW!r}"
            raise wrong_begin(message)
        return await _before_turn(connection, task.id, await _first_open_turn(connection, task.id))


async def _before_turn(connection: AsyncConnection, task_id: UUID, turn: int) -> int:
    if turn <= 1:
        return 0
    last = await connection.scalar(
        select(func.max(col(Message.seq))).where(
            col(Message.task_id) == task_id, col(Message.turn) < turn
        )
    )
    return last or 0


async def _turn_of(connection: AsyncConnection, task: StoredTask, call: str) -> int:
    """The turn in which a call was made: that of the last answer before its result."""
    same_id = [col(SubTask.id) == key for key in ids_in(call)]
    order = await connection.scalar(
        select(func.max(col(SubTask.execution_order))).where(
            col(SubTask.task_id) == task.id, or_(col(SubTask.name) == call, *same_id)
        )
    )
    if order is None:
        raise wrong_begin(f"the agent made no call {call!r}; its calls are in `sub_tasks`")
    turn = await connection.scalar(
        select(func.max(col(Message.turn))).where(
            col(Message.task_id) == task.id,
            col(Message.role) == "assistant",
            col(Message.seq) < order,
        )
    )
    return turn or 0


async def _first_open_turn(connection: AsyncConnection, task_id: UUID) -> int:
    """The turn after the last one of which every result is there: only the last can lack one."""
    rows = await connection.execute(
        select(col(Message.turn), col(Message.requests), col(Message.role)).where(
            col(Message.task_id) == task_id,
            col(Message.turn)
            == select(func.max(col(Message.turn)))
            .where(col(Message.task_id) == task_id)
            .scalar_subquery(),
        )
    )
    messages = rows.all()
    if not messages:
        return 0
    turn: int = messages[0].turn
    asked = sum(len(row.requests or ()) for row in messages)
    roles = Counter(row.role for row in messages)
    is_whole = turn > 0 and roles["assistant"] > 0 and roles["tool"] == asked
    return turn + 1 if is_whole else turn
