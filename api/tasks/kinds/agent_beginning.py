"""Where an agent resumes when a person retries its task: after a complete turn."""

from collections import Counter

from activities.store.database import Database
from activities.store.reading.messages import (
    find_turn_of_call,
    last_message_before,
    messages_of_last_turn,
)
from activities.store.reading.tasks import StoredTask
from api.tasks.kinds.base import wrong
from workflows.states import Status

BEGIN_ANEW = "start"


async def last_kept_message(database: Database, task: StoredTask, begin: str | None) -> int:
    """The number of the last message that the next run keeps; 0 when it starts over.

    ``begin`` is the name or the id of a call: its turn and what follows are done again.

    Raises:
        InvalidRequest
    """
    if begin == BEGIN_ANEW:
        return 0
    if begin is not None:
        return await before_turn(database, task, await _turn_of(database, task, begin))
    if task.status is Status.COMPLETED:
        message = f"the agent has finished; name the call to resume before, or {BEGIN_ANEW!r}"
        raise wrong("/from", message)
    return await last_whole_turn(database, task)


async def last_whole_turn(database: Database, task: StoredTask) -> int:
    """The number of the last message of the last turn of which every result is there."""
    return await before_turn(database, task, await _first_open_turn(database, task))


async def before_turn(database: Database, task: StoredTask, turn: int) -> int:
    """The number of the last message of the turns before ``turn``; 0 when that is the first."""
    return await last_message_before(database, task.id, turn) if turn > 1 else 0


async def _turn_of(database: Database, task: StoredTask, call: str) -> int:
    turn = await find_turn_of_call(database, task.id, call)
    if turn is None:
        raise wrong(
            "/from", f"the agent made no call {call!r}; name one by its number, such as 4.1"
        )
    return turn


async def _first_open_turn(database: Database, task: StoredTask) -> int:
    """The turn after the last one of which every result is there: only the last can lack one."""
    messages = await messages_of_last_turn(database, task.id)
    if not messages:
        return 0
    turn = messages[0].turn
    asked = sum(message.requests for message in messages)
    roles = Counter(message.role for message in messages)
    is_whole = turn > 0 and roles["assistant"] > 0 and roles["tool"] == asked
    return turn + 1 if is_whole else turn
