"""Metrics for Prometheus."""

import time
from collections import Counter
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from activities.limits.base import name_of
from activities.store.database import Database
from activities.store.housekeeping.progress import LastPass, SweepProgress, last_pass, totals
from activities.store.reading.limits import limit_use
from activities.store.reading.tasks import count_tasks

# Counting tasks reads an index of them all: not for every scrape of every scraper. With a million
# it takes a third of a second: it may take a hundredth of the time.
COUNTS_KEPT_SECONDS = 10.0
COUNTS_KEPT_TIMES = 100
_BUCKETS_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "agentos_http_request_duration_seconds",
            "How long requests took, by route.",
            ("method", "route", "status"),
            buckets=_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._tasks = Gauge(
            "agentos_tasks", "Tasks by status.", ("status",), registry=self._registry
        )
        self._pool = Gauge(
            "agentos_database_connections",
            "Connections to PostgreSQL by state.",
            ("state",),
            registry=self._registry,
        )
        self._swept = _SweepGauges(self._registry)
        self._streams = Gauge(
            "agentos_event_streams", "Clients that follow a task.", registry=self._registry
        )
        self._count_due_at = 0.0
        self._limits = Gauge(
            "agentos_limit_work",
            "Work under a limit by state, of all teams.",
            ("limit", "state"),
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).observe(seconds)

    async def render(self, *, streams: int) -> bytes:
        """Raises ``TemporaryFailure`` when the database cannot be reached."""
        now = time.monotonic()
        if now >= self._count_due_at:
            for status, count in (await count_tasks(self._database)).items():
                self._tasks.labels(status).set(count)
            await self._count_limits()
            took_seconds = time.monotonic() - now
            kept_seconds = max(COUNTS_KEPT_SECONDS, COUNTS_KEPT_TIMES * took_seconds)
            self._count_due_at = now + kept_seconds
            self._swept.set(await totals(self._database), await last_pass(self._database))
        pool = self._database.pool_use()
        self._pool.labels("in_use").set(pool.in_use)
        self._pool.labels("idle").set(pool.idle)
        self._streams.set(streams)
        return generate_latest(self._registry)

    async def _count_limits(self) -> None:
        """By name, without the team: teams are many, and whoever reads this is of none."""
        found: Counter[tuple[str, str]] = Counter()
        for key, use in (await limit_use(self._database)).items():
            name = name_of(key)
            found[name, "running"] += use.used
            found[name, "waiting"] += use.waiting
        self._limits.clear()
        for (name, state), count in found.items():
            self._limits.labels(name, state).set(count)


class _SweepGauges:
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

    def set(self, sums: Mapping[str, SweepProgress], last: LastPass) -> None:
        for name, found in sums.items():
            self._removed.labels(name).set(found.removed)
            self._freed.labels(name).set(found.freed_bytes)
            self._left.labels(name).set(found.remaining)
        if last.ended_at is not None:
            self._last.set(last.ended_at.timestamp())
