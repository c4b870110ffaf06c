"""Groups of dead letters that are alike: how many, since when, how often and at what cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, count
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    cast,
    column,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.dead_letters import PLACE, DeadLetterFilter, conditions_of
from activities.store.tables import DeadLetter

MOST_BUCKETS = 24
_HOUR = 3_600
_DAY = 24 * _HOUR
_WIDTHS = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY)


class Order(StrEnum):
    """Which groups come first: those that were seen last, or those with the most letters."""

    LATEST = "latest"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """The place of a group in a list: what it is ordered by, and its fingerprint."""

    rank: datetime | int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many there were in each ``seconds`` from ``start`` on; the last has some, too."""

    start: datetime
    seconds: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Letters with the same fingerprint; ``example`` is the last of them."""

    fingerprint: str
    parts: Mapping[str, JsonValue]
    count: int
    first_at: datetime
    last_at: datetime
    example: UUID
    buckets: Buckets
    tokens: int
    cost_usd: float


def width_of(first_at: datetime, last_at: datetime) -> int:
    """The seconds of a bucket, of which so few are needed that they can be shown side by side."""
    longer = (28 * _DAY * factor for factor in count(2))
    return next(
        width
        for width in chain(_WIDTHS, longer)
        if _number(last_at, width) - _number(first_at, width) < MOST_BUCKETS
    )


async def list_groups(
    database: Database,
    team_id: UUID,
    wanted: DeadLetterFilter,
    after: GroupPlace | None,
    limit: int,
    *,
    order: Order = Order.LATEST,
) -> tuple[Sequence[LetterGroup], GroupPlace | None]:
    """A page of groups, and the place of its last one if there are more. One that grows meanwhile
    may be on two pages, or on none."""
    conditions = conditions_of(team_id, wanted)
    async with database.reading() as connection:
        rows = (await connection.execute(_groups(conditions, after, limit + 1, order))).all()
        shown = rows[:limit]
        spread = await _spread(connection, conditions, shown)
    groups = [_group(row, *spread[row.fingerprint]) for row in shown]
    if len(rows) <= limit:
        return groups, None
    last = shown[-1]
    rank = last.last_at if order is Order.LATEST else last._mapping["count"]
    return groups, GroupPlace(rank, last.fingerprint)


def _groups(
    conditions: Sequence[ColumnElement[bool]], after: GroupPlace | None, limit: int, order: Order
) -> Select[*tuple[Any, ...]]:
    last_at, key = func.max(col(DeadLetter.created_at)), col(DeadLetter.fingerprint)
    rank: ColumnElement[Any] = last_at if order is Order.LATEST else func.count()
    query = (
        select(
            key,
            func.count().label("count"),
            func.min(col(DeadLetter.created_at)).label("first_at"),
            last_at.label("last_at"),
            rank.label("rank"),
        )
        .where(*conditions)
        .group_by(key)
        .order_by(rank.desc(), key.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.having(tuple_(rank, key) < (after.rank, after.fingerprint))
    group = query.subquery()
    example = (
        select(col(DeadLetter.id), col(DeadLetter.parts))
        .where(*conditions, key == group.c.fingerprint)
        .order_by(*(each.desc() for each in PLACE))
        .limit(1)
        .lateral()
    )
    return (
        select(group, example.c.id, example.c.parts)
        .join(example, true())
        .order_by(group.c.rank.desc(), group.c.fingerprint.desc())
    )


async def _spread(
    connection: AsyncConnection,
    conditions: Sequence[ColumnElement[bool]],
    groups: Sequence[Row[*tuple[Any, ...]]],
) -> Mapping[str, tuple[Buckets, int, float]]:
    """By fingerprint: when the letters came, and what all of them have used."""
    widths = {row.fingerprint: width_of(row.first_at, row.last_at) for row in groups}
    if not widths:
        return {}
    key = col(DeadLetter.fingerprint)
    group = (
        func.unnest(
            cast(array(list(widths)), ARRAY(Text)), cast(array(widths.values()), ARRAY(Integer))
        )
        .table_valued(column("fingerprint", Text), column("width", Integer))
        .render_derived("wanted")
    )
    number = func.floor(func.extract("epoch", col(DeadLetter.created_at)) / group.c.width)
    query = (
        select(
            key,
            number.label("number"),
            func.count().label("count"),
            func.sum(col(DeadLetter.tokens)).label("tokens"),
            func.sum(col(DeadLetter.cost_usd)).label("cost_usd"),
        )
        .join(group, group.c.fingerprint == key)
        .where(*conditions)
        .group_by(key, "number")
    )
    rows = (await connection.execute(query)).all()
    return {
        group.fingerprint: _of_group(
            group,
            widths[group.fingerprint],
            [r for r in rows if r.fingerprint == group.fingerprint],
        )
        for group in groups
    }


def _of_group(
    group: Row[*tuple[Any, ...]], width: int, rows: Sequence[Row[*tuple[Any, ...]]]
) -> tuple[Buckets, int, float]:
    first, last = _number(group.first_at, width), _number(group.last_at, width)
    counts = {int(row.number): row._mapping["count"] for row in rows}
    buckets = Buckets(
        start=datetime.fromtimestamp(first * width, UTC),
        seconds=width,
        counts=tuple(counts.get(number, 0) for number in range(first, last + 1)),
    )
    return buckets, int(sum(row.tokens for row in rows)), float(sum(row.cost_usd for row in rows))


def _number(moment: datetime, width: int) -> int:
    return int(moment.timestamp() // width)


def _group(
    row: Row[*tuple[Any, ...]], buckets: Buckets, tokens: int, cost_usd: float
) -> LetterGroup:
    return LetterGroup(
        fingerprint=row.fingerprint,
        parts=row.parts,
        count=row._mapping["count"],
        first_at=row.first_at,
        last_at=row.last_at,
        example=row.id,
        buckets=buckets,
        tokens=tokens,
        cost_usd=cost_usd,
    )
