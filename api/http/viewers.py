"""How many may follow the events of tasks at once. Each is an open connection."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from api.errors import TooManyViewers

# After a restart all come at once: their queries are not to fill the queue for the database.
ENTERING_AT_ONCE = 5


class Viewers:
    """Those of this process, by team. ``entrance`` is held while one's place is looked up."""

    def __init__(self, *, most: int, most_per_team: int) -> None:
        self._most = most
        self._most_per_team = most_per_team
        self._by_team: Counter[UUID] = Counter()
        self.entrance = asyncio.Semaphore(ENTERING_AT_ONCE)

    @property
    def count(self) -> int:
        return self._by_team.total()

    @contextmanager
    def admitted(self, team_id: UUID) -> Iterator[None]:
        """One more while the block runs. Raises ``TooManyViewers``."""
        if self.count >= self._most or self._by_team[team_id] >= self._most_per_team:
            raise TooManyViewers
        self._by_team[team_id] += 1
        try:
            yield
        finally:
            self._by_team -= Counter({team_id: 1})  # Drops teams whose count is zero.
