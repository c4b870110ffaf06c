"""Gauges of what is in the database, of all teams: each reads its figures anew when it is due."""

from collections import Counter
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge

from activities.limits.base import name_of
from activities.store.breaker_decisions import count_breakers
from activities.store.database import Database
from activities.store.housekeeping.progress import last_pass, totals
from activities.store.reading.limits import limit_use
from activities.store.reading.tasks import count_tasks
from workflows.states import BreakerState


class StoredGauges(Protocol):
    def __init__(self, registry: CollectorRegistry) -> None: ...

    async def read(self, database: Database) -> None:
        """Raises ``TemporaryFailure`` when the database cannot be reached."""


class TaskGauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._tasks = Gauge("agentos_tasks", "Tasks by status.", ("status",), registry=registry)

    async def read(self, database: Database) -> None:
        for status, count in (await count_tasks(database)).items():
            self._tasks.labels(status).set(count)


class LimitGauges:
    """By name, without the team: teams are many, and whoever reads this is of none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._work = Gauge(
            "agentos_limit_work",
            "Work under a limit by state, of all teams.",
            ("limit", "state"),
            registry=registry,
        )

    async def read(self, database: Database) -> None:
        found: Counter[tuple[str, str]] = Counter()
        for key, use in (await limit_use(database)).items():
            name = name_of(key)
            found[name, "running"] += use.used
            found[name, "waiting"] += use.waiting
        self._work.clear()
        for (name, state), count in found.items():
            self._work.labels(name, state).set(count)


class BreakerGauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._breakers = Gauge(
            "agentos_breakers",
            "For how many teams the breaker of this name is in a state.",
            ("name", "state"),
            registry=registry,
        )
        self._opened = Gauge(
            "agentos_breaker_openings",
            "How often the breakers of this name have opened.",
            ("name",),
            registry=registry,
        )

    async def read(self, database: Database) -> None:
        self._breakers.clear()
        self._opened.clear()
        for count in await count_breakers(database):
            self._breakers.labels(count.name, BreakerState.OPEN).set(count.open)
            self._breakers.labels(count.name, BreakerState.HALF_OPEN).set(count.half_open)
            self._opened.labels(count.name).set(count.opened)


class SweepGauges:
    """What housekeeping has removed on this database, whichever process did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._removed = Gauge(
            "agentos_housekeeping_removed",
            "Rows and blobs that were removed since ever, by sweep.",
            ("sweep",),
            registry=registry,
        )
        self._freed = Gauge(
            "agentos_housekeeping_freed_bytes",
            "Bytes of blobs that were removed since ever, by sweep.",
            ("sweep",),
            registry=registry,
        )
        self._left = Gauge(
            "agentos_housekeeping_remaining",
            "What is known to be left, by sweep; up to 10,000 for each team.",
            ("sweep",),
            registry=registry,
        )
        self._last = Gauge(
            "agentos_housekeeping_last_pass_timestamp_seconds",
            "When the last pass ended.",
            registry=registry,
        )

    async def read(self, database: Database) -> None:
        for name, found in (await totals(database)).items():
            self._removed.labels(name).set(found.removed)
            self._freed.labels(name).set(found.freed_bytes)
            self._left.labels(name).set(found.remaining)
        last = await last_pass(database)
        if last.ended_at is not None:
            self._last.set(last.ended_at.timestamp())


ALL: tuple[type[StoredGauges], ...] = (TaskGauges, LimitGauges, BreakerGauges, SweepGauges)
