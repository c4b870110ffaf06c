"""What everybody is to know at once: that nobody works, or that something is away."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from api.http.changes import Changes
from api.http.notifications import Bell
from api.http.readiness import readiness_of
from api.services import Services

LOOK_SECONDS = 10.0
TOPIC = "standing"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """``away`` are names of dependencies; ``workers`` is None when Temporal cannot be asked."""

    away: Sequence[str] = ()
    workers: int | None = None

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
        # Supervises for the life of the process: whatever a look ran into, the next one is due.
        except Exception as error:
            log.error("standing.unknown", exc_info=error)
            return
        away = tuple(each.name for each in found.dependencies if each.state != "up")
        known, self._known = self._known, Standing(away, found.workers)
        if (known.away, known.has_no_worker) != (away, self._known.has_no_worker):
            self._changes.tell_all({TOPIC})
