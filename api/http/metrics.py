"""Metrics for Prometheus."""

import time

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from activities.store.database import Database
from api.http import gauges

# Counting tasks reads an index of them all: not for every scrape of every scraper. With a million
# it takes a third of a second: it may take a hundredth of the time.
COUNTS_KEPT_SECONDS = 10.0
COUNTS_KEPT_TIMES = 100
_BUCKETS_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one process, and those of the database."""

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
        self._pool = Gauge(
            "agentos_database_connections",
            "Connections to PostgreSQL by state.",
            ("state",),
            registry=self._registry,
        )
        self._streams = Gauge(
            "agentos_event_streams", "Clients that follow a task.", registry=self._registry
        )
        self._stored = [each(self._registry) for each in gauges.ALL]
        self._count_due_at = 0.0

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).observe(seconds)

    async def render(self, *, streams: int) -> bytes:
        """Raises ``TemporaryFailure`` when the database cannot be reached."""
        now = time.monotonic()
        if now >= self._count_due_at:
            for each in self._stored:
                await each.read(self._database)
            took_seconds = time.monotonic() - now
            kept_seconds = max(COUNTS_KEPT_SECONDS, COUNTS_KEPT_TIMES * took_seconds)
            self._count_due_at = now + kept_seconds
        pool = self._database.pool_use()
        self._pool.labels("in_use").set(pool.in_use)
        self._pool.labels("idle").set(pool.idle)
        self._streams.set(streams)
        return generate_latest(self._registry)
