"""What a sweep is, and what it is given."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store.database import Database
from activities.store.reading.cursor import Cursor

# Whoever waits for a row that somebody else has locked may hold others meanwhile.
LOCK_TIMEOUT_MS = 200
STATEMENT_TIMEOUT_MS = 2_000
IDLE_TIMEOUT_MS = 2_000

# How many are counted of what is left: enough to see that it becomes fewer.
MOST_COUNTED = 10_000

START = Cursor(datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a step is to look at: what ``team_id`` has from before ``before``, behind the place
    ``after``, and about ``limit`` rows of it at most."""

    team_id: UUID
    before: datetime
    after: Cursor | None
    limit: int

    @property
    def values(self) -> dict[str, object]:
        """Those of a statement that looks at rows in the order of a time and their ids."""
        after = self.after or START
        return {
            "team_id": self.team_id,
            "before": self.before,
            "at": after.moment,
            "id": after.id,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did. The next one goes on behind ``place`` or ``place_key``, and everything up to
    ``reached`` may be gone; ``is_done``: nothing is left."""

    removed: int
    is_done: bool
    place: Cursor | None = None
    reached: datetime | None = None
    place_key: str | None = None
    freed_bytes: int = 0


class Sweep(ABC):
    """``keep`` is the field of ``Retention`` that says for how long; None where nothing does, and
    all may go that the sweep finds."""

    name: str
    keep: str | None

    @abstractmethod
    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        """Remove some rows within the caller's transaction, which is short."""

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        """How many things are left to look at, as far as ``MOST_COUNTED``; at least one."""
        return 1


@asynccontextmanager
async def short_transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that gives up soon: ``TemporaryFailure`` when it waits or works for long."""
    async with database.writing() as connection:
        await connection.execute(_BOUNDS)
        yield connection


_BOUNDS = text(
    f"SELECT set_config('lock_timeout', '{LOCK_TIMEOUT_MS}', true),"
    f" set_config('statement_timeout', '{STATEMENT_TIMEOUT_MS}', true),"
    # Between two statements, too: this process may be held up.
    f" set_config('idle_in_transaction_session_timeout', '{IDLE_TIMEOUT_MS}', true)"
)
