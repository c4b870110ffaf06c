"""Metrics for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from activities.store.breaker_decisions import count_breakers
from activities.store.database import Database
from activities.store.reading.tasks import count_tasks
from workflows.states import BreakerState

# Counting tasks reads an index of them all: not for every scrape of every scraper.
COUNTS_KEPT_SECONDS = 10.0
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
        self._streams = Gauge(
            "agentos_event_streams", "Clients that follow a task.", registry=self._registry
        )
        self._breakers = Gauge(
            "agentos_breakers",
            "For how many teams the breaker of this name is in a state.",
            ("name", "state"),
            registry=self._registry,
        )
        self._opened = Gauge(
            "agentos_breaker_openings",
            "How often the breakers of this name have opened.",
            ("name",),
            registry=self._registry,
        )
        self._counted_at = -COUNTS_KEPT_SECONDS

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).observe(seconds)

    async def render(self, *, streams: int) -> bytes:
        """Raises ``TemporaryFailure`` when the database cannot be reached."""
        now = time.monotonic()
        if now - self._counted_at >= COUNTS_KEPT_SECONDS:
            for status, count in (await count_tasks(self._database)).items():
                self._tasks.labels(status).set(count)
            await self._count_breakers()
            self._counted_at = now
        pool = self._database.pool_use()
        self._pool.labels("in_use").set(pool.in_use)
        self._pool.labels("idle").set(pool.idle)
        self._streams.set(streams)
        return generate_latest(self._registry)

    async def _count_breakers(self) -> None:
        self._breakers.clear()
        self._opened.clear()
        for count in await count_breakers(self._database):
            self._breakers.labels(count.name, BreakerState.OPEN).set(count.open)
            self._breakers.labels(count.name, BreakerState.HALF_OPEN).set(count.half_open)
            self._opened.labels(count.name).set(count.opened)
