"""What everybody is to know at once: nobody works, something is away, a breaker is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from activities.store.breaker_decisions import open_breakers
from api.http.changes import Changes
from api.http.notifications import Bell
from api.http.readiness import readiness_of
from api.services import Services
from workflows.errors import TemporaryFailure

LOOK_SECONDS = 10.0
TOPIC = "standing"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """``away`` are names of dependencies; ``workers`` is None when Temporal cannot be asked.
    ``breakers`` are those of each team that are not closed."""

    away: Sequence[str] = ()
    workers: int | None = None
    breakers: Mapping[UUID, Sequence[str]] = field(default_factory=dict)

    @property
    def has_no_worker(self) -> bool:
        return self.workers == 0


class Standings:
    """How things stood a moment ago. ``run`` looks while somebody views a page, so that no page
    waits for a dependency that does not answer."""

    def __init__(self, services: Services, changes: Changes) -> None:
        self._services = services
        self._changes = changes
        self._known = Standing()
        self._asked = Bell()

    def now(self) -> Standing:
        self._asked.ring()
        return self._known

    async def run(self) -> None:
        while True:
            was_asked = await self._asked.wait(LOOK_SECONDS)
            if was_asked or self._changes.has_viewers:
                await self._look()

    async def _look(self) -> None:
        try:
            found = await readiness_of(self._services)
            breakers = await self._breakers()
        # Supervises for the life of the process: whatever a look ran into, the next one is due.
        except Exception as error:
            log.error("standing.unknown", exc_info=error)
            return
        away = tuple(each.name for each in found.dependencies if each.state != "up")
        known, self._known = self._known, Standing(away, found.workers, breakers)
        was = (known.away, known.has_no_worker, known.breakers)
        if was != (away, self._known.has_no_worker, breakers):
            self._changes.tell_all({TOPIC})

    async def _breakers(self) -> Mapping[UUID, Sequence[str]]:
        """Those that were known, while the database is away: the banner says so."""
        try:
            return await open_breakers(self._services.database)
        except TemporaryFailure:
            return self._known.breakers
