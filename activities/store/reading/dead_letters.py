"""Dead letters: one, and a page of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, Select, func, select, union_all
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import DeadLetter
from activities.store.webhook_letters import webhook_of
from workflows.contracts import Failure
from workflows.states import LetterState, TaskType


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """``text`` is looked for in the name of the task, its part, and the code and message of the
    error, whatever the case. Without ``states``, all of them. ``as_of`` leaves out what has come
    since."""

    states: Sequence[LetterState] = (LetterState.OPEN,)
    fingerprint: str | None = None
    types: Sequence[TaskType] = ()
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    task_id: UUID | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter. ``part`` is the name of the step, call or node that failed, of which
    ``sub_task_id`` is the row; None where it is the task itself. ``seconds`` are those of work."""

    id: UUID
    team_id: UUID
    task_id: UUID
    sub_task_id: UUID | None
    run: int
    type: TaskType
    name: str
    part: str | None
    error: Failure
    fingerprint: str
    parts: Mapping[str, JsonValue]
    attempts: int
    tokens: int
    cost_usd: float
    seconds: float
    state: LetterState
    note: str
    ended_by: str | None
    request_digest: str | None
    created_at: datetime
    ended_at: datetime | None


async def find_letter(database: Database, team_id: UUID, letter_id: UUID) -> StoredLetter | None:
    """A letter as the primary has it, whatever its state."""
    query = select(*_LETTER).where(
        col(DeadLetter.id) == letter_id, col(DeadLetter.team_id) == team_id
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else _letter(row)


async def list_letters(
    database: Database,
    team_id: UUID,
    wanted: DeadLetterFilter,
    cursor: Cursor | None,
    limit: int,
) -> tuple[Sequence[StoredLetter], Cursor | None]:
    """A page, the newest first, and the place of its last one if there are more."""
    # A stretch of the index for each state: together they would have to be sorted.
    pages = [
        _page(team_id, replace(wanted, states=(state,)), cursor, limit + 1).subquery()
        for state in wanted.states or tuple(LetterState)
    ]
    found = union_all(*map(select, pages)).subquery()
    newest = found.c.created_at.desc(), found.c.id.desc()
    async with database.reading() as connection:
        query = select(found).order_by(*newest).limit(limit + 1)
        rows = (await connection.execute(query)).all()
    shown, following = cut(rows, limit, lambda row: Cursor(row.created_at, row.id))
    return [_letter(row) for row in shown], following


def _page(
    team_id: UUID, wanted: DeadLetterFilter, cursor: Cursor | None, limit: int
) -> Select[*tuple[Any, ...]]:
    query = select(*_LETTER).where(*conditions_of(team_id, wanted))
    if cursor is not None:
        query = query.where(cursor.before(*PLACE))
    return query.order_by(*(column.desc() for column in PLACE)).limit(limit)


async def list_letter_ids(
    database: Database,
    team_id: UUID,
    wanted: DeadLetterFilter,
    after: Cursor | None,
    limit: int,
) -> Sequence[tuple[UUID, UUID, UUID | None, Cursor]]:
    """The ids of letters, of their tasks and of the webhooks whose they are, the oldest first,
    behind the place ``after``, with the place of each: for whoever works through all of them. From
    the primary."""
    columns = col(DeadLetter.task_id), col(DeadLetter.part)
    query = select(*PLACE, *columns).where(*conditions_of(team_id, wanted))
    if after is not None:
        query = query.where(after.after(*PLACE))
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(query.order_by(*PLACE).limit(limit))
        return [
            (row.id, row.task_id, webhook_of(row.part), Cursor(row.created_at, row.id))
            for row in rows
        ]


async def count_letters(database: Database, team_id: UUID, wanted: DeadLetterFilter) -> int:
    query = select(func.count()).select_from(DeadLetter).where(*conditions_of(team_id, wanted))
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(query) or 0


PLACE = (col(DeadLetter.created_at), col(DeadLetter.id))
_LETTER = (
    col(DeadLetter.id),
    col(DeadLetter.team_id),
    col(DeadLetter.task_id),
    col(DeadLetter.sub_task_id),
    col(DeadLetter.run),
    col(DeadLetter.type),
    col(DeadLetter.name),
    col(DeadLetter.part),
    col(DeadLetter.error),
    col(DeadLetter.fingerprint),
    col(DeadLetter.parts),
    col(DeadLetter.attempts),
    col(DeadLetter.tokens),
    col(DeadLetter.cost_usd),
    col(DeadLetter.seconds),
    col(DeadLetter.state),
    col(DeadLetter.note),
    col(DeadLetter.ended_by),
    col(DeadLetter.request_digest),
    col(DeadLetter.created_at),
    col(DeadLetter.ended_at),
)


def conditions_of(team_id: UUID, wanted: DeadLetterFilter) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(DeadLetter.team_id) == team_id]
    if len(wanted.states) == 1:
        # One state is one stretch of the index, which is in the order of the list.
        made.append(col(DeadLetter.state) == wanted.states[0])
    elif wanted.states:
        made.append(col(DeadLetter.state).in_(wanted.states))
    if wanted.fingerprint is not None:
        made.append(col(DeadLetter.fingerprint) == wanted.fingerprint)
    if wanted.types:
        made.append(col(DeadLetter.type).in_(wanted.types))
    if wanted.text:
        made.append(col(DeadLetter.searched).contains(wanted.text.lower(), autoescape=True))
    if wanted.created_after is not None:
        made.append(col(DeadLetter.created_at) > wanted.created_after)
    if wanted.created_before is not None:
        made.append(col(DeadLetter.created_at) < wanted.created_before)
    if wanted.task_id is not None:
        made.append(col(DeadLetter.task_id) == wanted.task_id)
    if wanted.as_of is not None:
        made.append(col(DeadLetter.created_at) <= wanted.as_of)
    return made


def _letter(row: Row[*tuple[Any, ...]]) -> StoredLetter:
    return StoredLetter(
        id=row.id,
        team_id=row.team_id,
        task_id=row.task_id,
        sub_task_id=row.sub_task_id,
        run=row.run,
        type=row.type,
        name=row.name,
        part=row.part or None,
        error=Failure.model_validate(row.error),
        fingerprint=row.fingerprint,
        parts=row.parts,
        attempts=row.attempts,
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        seconds=row.seconds,
        state=row.state,
        note=row.note,
        ended_by=row.ended_by,
        request_digest=row.request_digest,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )
