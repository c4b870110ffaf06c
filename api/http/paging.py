"""Pages of lists, by cursor: rows that come meanwhile neither repeat nor hide others."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator
from sqlalchemy import ColumnElement, tuple_

from api.errors import InvalidRequest
from api.wire.responses import MAX_PAGE
from workflows.pointers import Problem

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
CursorText = Annotated[str | None, Query(max_length=200, description="next_cursor of a page")]


NO_CURSOR = Problem("", "query cursor: it is not the next_cursor of a page")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row in a list that is ordered by time and id."""

    moment: datetime
    id: UUID

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """Raises ``InvalidRequest`` when it is none that was given out."""
        if text is None:
            return None
        try:
            moment, _, key = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
            return cls(to_utc(datetime.fromisoformat(moment)), UUID(key))
        except (ValueError, binascii.Error) as error:
            raise InvalidRequest([NO_CURSOR]) from error

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.moment.isoformat()} {self.id}".encode()).decode()

    def before(self, moment: Any, key: Any) -> ColumnElement[bool]:
        """Rows that come after this one where the newest is first."""
        return tuple_(moment, key) < (self.moment, self.id)

    def after(self, moment: Any, key: Any) -> ColumnElement[bool]:
        """Rows that come after this one where the oldest is first."""
        return tuple_(moment, key) > (self.moment, self.id)


def to_utc(moment: datetime) -> datetime:
    """A time without a zone is one of UTC. Raises ``ValueError`` at the ends of the calendar."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("this time is out of range") from error


Moment = Annotated[datetime, AfterValidator(to_utc)]


def cut_at(sizes_bytes: Sequence[int], limit: int, page_bytes: int) -> int:
    """How many rows make a page: at most ``limit``, and at least one however large it is."""
    total_bytes = 0
    for count, size in enumerate(sizes_bytes[:limit]):
        total_bytes += size
        if total_bytes > page_bytes:
            return max(count, 1)
    return min(max(len(sizes_bytes), 1), limit)


def parse_number(text: str | None) -> int:
    """The place in a list that is numbered from 1. Raises ``InvalidRequest``."""
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequest([NO_CURSOR])
    return int(text)


def cut(
    rows: Sequence[Row], limit: int, place: Callable[[Row], Cursor]
) -> tuple[Sequence[Row], str | None]:
    """The first ``limit`` rows, and the cursor of the next page if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], str(place(rows[limit - 1]))
