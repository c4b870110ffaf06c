"""Writing bulk runs: made whole, worked on by one API at a time, and ended once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.bulk_statements import DEALT, INSERT_LETTERS, INSERT_TASKS, RELEASE, SETTLE
from activities.store.database import Database
from activities.store.tables import BulkItem, BulkRun, DeadLetter
from activities.store.team_lock import lock_team
from activities.store.webhook_letters import webhook_of
from workflows.states import BulkAction, BulkState, ItemState


@dataclass(frozen=True, slots=True)
class NewBulkRun:
    """``items`` are the ids of the dead letters or tasks, in the order in which they are dealt
    with."""

    id: UUID
    action: BulkAction
    filter: Mapping[str, JsonValue] | None
    request: Mapping[str, JsonValue]
    note: str
    canary: int
    rate: int
    items: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A bulk run that nobody else works on for a while."""

    id: UUID
    actor: Actor
    action: BulkAction
    request: Mapping[str, JsonValue]
    note: str
    canary: int
    rate: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """``run`` is that which a retry begins, or else the one that the task had. ``webhook_id``: the
    letter is that of a webhook, and no task runs again with it."""

    number: int
    letter_id: UUID | None
    task_id: UUID
    run: int
    webhook_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of an item. ``code`` and ``reason`` say why it was skipped, or completed without
    a task."""

    state: ItemState
    code: str | None = None
    reason: str | None = None


async def create_run(database: Database, actor: Actor, new: NewBulkRun, *, most: int) -> int | None:
    """Write a run with its items, all or nothing; how many there are, or None where ``most`` of the
    team run already. Of those that are gone by now, there is nothing to deal with."""
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        if await _count_running(connection, actor.team_id) >= most:
            return None
        await connection.execute(
            insert(BulkRun).values(
                id=new.id,
                team_id=actor.team_id,
                actor=actor.name,
                action=new.action,
                state=BulkState.RUNNING,
                reason="",
                note=new.note,
                filter=None if new.filter is None else dict(new.filter),
                request=dict(new.request),
                canary=new.canary,
                rate=new.rate,
                next_at=func.now(),
            )
        )
        values = {"bulk_id": new.id, "team_id": actor.team_id, "items": list(new.items)}
        insert_items = INSERT_LETTERS
        if new.action.is_of_tasks:
            insert_items = INSERT_TASKS
            values["more"] = int(new.action is BulkAction.RETRY)
        total = len((await connection.execute(insert_items, values)).all())
        details: dict[str, JsonValue] = {
            "action": str(new.action),
            ("tasks" if new.action.is_of_tasks else "letters"): total,
            "filter": None if new.filter is None else dict(new.filter),
        }
        deed = Deed("bulk.started", str(new.id), new.note, details)
        await audit.note(connection, actor, deed)
    return total


async def _count_running(connection: AsyncConnection, team_id: UUID) -> int:
    query = (
        select(func.count())
        .select_from(BulkRun)
        .where(col(BulkRun.team_id) == team_id, col(BulkRun.state) == BulkState.RUNNING)
    )
    return await connection.scalar(query) or 0


async def abort_run(database: Database, actor: Actor, bulk_id: UUID, note: str) -> bool:
    """End a run before it is through. False when it has ended already, or there is none."""
    async with database.writing() as connection:
        aborted = await connection.scalar(
            update(BulkRun)
            .where(
                col(BulkRun.id) == bulk_id,
                col(BulkRun.team_id) == actor.team_id,
                col(BulkRun.state) == BulkState.RUNNING,
            )
            .values(state=BulkState.ABORTED, reason=note, ended_at=func.now(), lease_until=None)
            .returning(col(BulkRun.id))
        )
        if aborted is None:
            return False
        await audit.note(connection, actor, Deed("bulk.aborted", str(bulk_id), note))
    return True


async def end_run(database: Database, bulk_id: UUID, state: BulkState, reason: str = "") -> None:
    """End a run that is through, or goes no further by itself."""
    async with database.writing() as connection:
        await connection.execute(
            update(BulkRun)
            .where(col(BulkRun.id) == bulk_id, col(BulkRun.state) == BulkState.RUNNING)
            .values(state=state, reason=reason, ended_at=func.now(), lease_until=None)
        )


async def claim_run(database: Database, lease_seconds: float) -> ClaimedRun | None:
    """A run that is due and that nobody works on, for so long. A process that dies lets go of it
    then; whatever it did last, and did not write down, is done again and changes nothing."""
    state, lease_until = col(BulkRun.state), col(BulkRun.lease_until)
    is_free = or_(lease_until.is_(None), lease_until < func.now())
    due = (
        select(col(BulkRun.id))
        .where(state == BulkState.RUNNING, col(BulkRun.next_at) <= func.now(), is_free)
        .order_by(col(BulkRun.next_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claimed = (
        update(BulkRun)
        .where(col(BulkRun.id) == due.scalar_subquery())
        .values(lease_until=func.now() + timedelta(seconds=lease_seconds))
        .returning(*_CLAIMED)
    )
    async with database.at_once() as connection:
        row = (await connection.execute(claimed)).one_or_none()
    if row is None:
        return None
    return ClaimedRun(
        id=row.id,
        actor=Actor(row.team_id, row.actor),
        action=row.action,
        request=row.request,
        note=row.note,
        canary=row.canary,
        rate=row.rate,
    )


async def release_run(database: Database, bulk_id: UUID, *, wait_seconds: float = 0) -> None:
    """Let go of a run; it is due when its rate says, and not before so many seconds."""
    await database.execute(RELEASE, {"id": bulk_id, "wait": wait_seconds})


async def next_item(database: Database, bulk_id: UUID) -> OpenItem | None:
    """The first item of a run that was not dealt with."""
    query = (
        select(
            col(BulkItem.number),
            col(BulkItem.letter_id),
            col(BulkItem.task_id),
            col(BulkItem.run),
            col(DeadLetter.part),
        )
        .outerjoin(DeadLetter, col(DeadLetter.id) == col(BulkItem.letter_id))
        .where(col(BulkItem.bulk_id) == bulk_id, col(BulkItem.state) == ItemState.OPEN)
        .order_by(col(BulkItem.number))
        .limit(1)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return OpenItem(row.number, row.letter_id, row.task_id, row.run, webhook_of(row.part))


async def note_dealt(
    database: Database, run: ClaimedRun, item: OpenItem, dealt: Dealt, lease_seconds: float
) -> bool:
    """Write down what became of an item; whether the next one is due, and the run goes on.

    What was skipped does not count in the rate: nothing was begun.
    """
    gap_seconds = 0.0 if dealt.state is ItemState.SKIPPED else 60.0 / run.rate
    values = {
        "bulk_id": run.id,
        "number": item.number,
        "state": dealt.state,
        "code": dealt.code,
        "reason": dealt.reason,
        "gap": gap_seconds,
        "lease": lease_seconds,
    }
    rows = await database.execute(DEALT, values)
    return bool(rows and rows[0].is_due)


async def settle_items(database: Database, limit: int) -> int:
    """Write down how tasks that were requeued have ended; of how many."""
    return len(await database.execute(SETTLE, {"limit": limit}))


_CLAIMED = (
    col(BulkRun.id),
    col(BulkRun.team_id),
    col(BulkRun.actor),
    col(BulkRun.action),
    col(BulkRun.request),
    col(BulkRun.note),
    col(BulkRun.canary),
    col(BulkRun.rate),
)
