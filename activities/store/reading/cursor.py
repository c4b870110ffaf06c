"""Pages of lists: rows that come meanwhile neither repeat nor hide others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, tuple_

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row in a list that is ordered by time and id."""

    moment: datetime
    id: UUID

    def before(self, moment: Any, key: Any) -> ColumnElement[bool]:
        """Rows that come after this one where the newest is first."""
        return tuple_(moment, key) < (self.moment, self.id)

    def after(self, moment: Any, key: Any) -> ColumnElement[bool]:
        """Rows that come after this one where the oldest is first."""
        return tuple_(moment, key) > (self.moment, self.id)


def cut(
    rows: Sequence[Item], limit: int, place: Callable[[Item], Cursor]
) -> tuple[Sequence[Item], Cursor | None]:
    """The first ``limit`` rows, and the last one's place if there are more."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], place(rows[limit - 1])


def cut_at(sizes_bytes: Sequence[int], limit: int, page_bytes: int) -> int:
    """How many rows make a page: at most ``limit``, and at least one however large it is."""
    total_bytes = 0
    for count, size in enumerate(sizes_bytes[:limit]):
        total_bytes += size
        if total_bytes > page_bytes:
            return max(count, 1)
    return min(max(len(sizes_bytes), 1), limit)
