"""Dead letters of webhooks that were switched off: with the task whose notice failed last.

Their part is ``webhook:<id>``. Requeued, they switch the webhook on again, and run no task.
"""

from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.dead_letters.fingerprint import Parts
from activities.store.audit import Actor
from activities.store.tables import DeadLetter, Task
from workflows.contracts import Failure
from workflows.states import LetterState, TaskType

_PREFIX = "webhook:"
_CODE = "webhook-switched-off"
_RUNS = "webhook"


def part_of(webhook_id: UUID) -> str:
    return f"{_PREFIX}{webhook_id}"


def webhook_of(part: str | None) -> UUID | None:
    """The webhook whose letter has this part; None where it is that of a task."""
    is_webhook = part is not None and part.startswith(_PREFIX)
    return UUID(part.removeprefix(_PREFIX)) if part is not None and is_webhook else None


def is_of_task() -> ColumnElement[bool]:
    """Letters whose task runs again when they are requeued."""
    return ~col(DeadLetter.part).startswith(_PREFIX, autoescape=True)


async def write_webhook_letter(
    connection: AsyncConnection, webhook_id: UUID, task_id: UUID, run: int, reason: str
) -> None:
    """In the transaction that switches the webhook off."""
    query = select(col(Task.team_id), col(Task.type), col(Task.name)).where(col(Task.id) == task_id)
    task = (await connection.execute(query)).one_or_none()
    if task is None:
        return  # Deleted meanwhile.
    part = part_of(webhook_id)
    message = (
        f"A webhook was switched off: {reason}. Once its receiver is well, "
        f"`agentos webhooks enable {webhook_id}` sends what it has missed."
    )
    parts = Parts.of(TaskType(task.type), part, _RUNS, _CODE, message)
    again = {"state": LetterState.OPEN, "created_at": func.now(), "ended_at": None}
    values = {
        "id": uuid5(task_id, f"dead letter {run} {part}"),
        "team_id": task.team_id,
        "task_id": task_id,
        "run": run,
        "type": TaskType(task.type),
        "part": part,
        "name": task.name,
        "error": Failure(code=_CODE, message=message).model_dump(mode="json", exclude_none=True),
        "fingerprint": parts.fingerprint,
        "parts": parts.document,
        "attempts": 1,
        "tokens": 0,
        "cost_usd": 0.0,
        "seconds": 0.0,
        "searched": f"{task.name}\n{part}\n{_CODE}\n{message}".lower()[:1_000],
        "note": "",
        "state": LetterState.OPEN,
    }
    await connection.execute(
        insert(DeadLetter)
        .values(values)
        .on_conflict_do_update(
            constraint="dead_letters_once",
            set_={**again, "note": "", "ended_by": None, "request_digest": None},
        )
    )


async def end_webhook_letters(
    connection: AsyncConnection,
    actor: Actor,
    webhook_id: UUID,
    state: LetterState,
    *,
    note: str = "",
    digest: str | None = None,
) -> None:
    """Say of the open letters of a webhook what was done about them."""
    await connection.execute(
        update(DeadLetter)
        .where(
            col(DeadLetter.team_id) == actor.team_id,
            col(DeadLetter.state) == LetterState.OPEN,
            col(DeadLetter.part) == part_of(webhook_id),
        )
        .values(
            state=state,
            ended_by=actor.name,
            note=note,
            ended_at=func.now(),
            request_digest=digest,
        )
    )
