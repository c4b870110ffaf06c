"""One reader of a task's events in this process, however many view the task."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

import structlog

from activities.store.database import Database
from activities.store.reading.events import read_events
from api.http.feed import KEPT_EVENTS, Feed
from api.http.notifications import Notifications
from workflows.errors import TemporaryFailure

RETRY_SECONDS = 1.0
# A feed begins so far below its first viewer: after a restart all come back to about one place.
MARGIN_EVENTS = 50

AnyFeed = TypeVar("AnyFeed", bound=Feed)

log = structlog.get_logger(__name__)


class FeedsOf(Generic[AnyFeed]):
    """Those of what is viewed now: the first viewer opens one, the last closes it.

    After ``heartbeat_seconds`` of silence viewers are woken all the same. The reader then also
    looks for events that nobody announced: a lost notification costs this long, and no event.
    """

    viewed = "task_id"
    """What the log calls the id of what is viewed."""
    margin_events = MARGIN_EVENTS

    def __init__(
        self, database: Database, notifications: Notifications, *, heartbeat_seconds: float
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._heartbeat_seconds = heartbeat_seconds
        self._feeds: dict[UUID, AnyFeed] = {}
        self._readers: dict[AnyFeed, asyncio.Task[None]] = {}

    def new(self, floor: int) -> AnyFeed:
        """An empty feed."""
        raise NotImplementedError

    async def read(self, viewed_id: UUID, feed: AnyFeed) -> bool:
        """Add to the feed what follows; whether there is still more. Wake its viewers.

        Raises:
            TemporaryFailure: the database cannot be reached.
        """
        raise NotImplementedError

    @contextmanager
    def joined(self, viewed_id: UUID, seq: int, last_seq: int) -> Iterator[AnyFeed]:
        """The feed of one, for a viewer that has seen number ``seq``, while the block runs.

        ``last_seq`` is that of an event which is in the database.
        """
        feed = self._feeds.get(viewed_id)
        # After the end of a run there is another feed: somebody may have retried the task.
        if feed is None or feed.has_ended:
            floor = max(0, min(seq, last_seq) - self.margin_events, last_seq - KEPT_EVENTS)
            feed = self._open(viewed_id, floor)
        elif feed.seq < last_seq:  # The notification is on its way, or got lost.
            self.ring(viewed_id)
        feed.viewers += 1
        try:
            yield feed
        finally:
            feed.viewers -= 1
            if not feed.viewers:
                self._forget(viewed_id, feed)
                if reader := self._readers.get(feed):
                    reader.cancel()

    def ring(self, viewed_id: UUID) -> None:
        """Let the reader look for itself."""
        self._notifications.ring(viewed_id)

    def _open(self, viewed_id: UUID, floor: int) -> AnyFeed:
        feed = self._feeds[viewed_id] = self.new(floor)
        # In a context of its own: what it logs belongs to no request.
        reader = asyncio.create_task(self._read(viewed_id, feed), context=Context())
        self._readers[feed] = reader
        reader.add_done_callback(partial(self._on_end, viewed_id, feed))
        return feed

    async def _read(self, viewed_id: UUID, feed: AnyFeed) -> None:
        with self._notifications.listening(viewed_id) as bell:
            while not (self._notifications.closing or feed.has_ended):
                try:
                    has_more = await self.read(viewed_id, feed)
                except TemporaryFailure as failure:
                    about = {self.viewed: str(viewed_id)}
                    log.warning("events.interrupted", reason=str(failure), **about)
                    await bell.wait(RETRY_SECONDS)
                    continue
                if has_more or feed.has_ended:
                    continue
                if not await bell.wait(self._heartbeat_seconds):
                    await feed.wake()

    def _on_end(self, viewed_id: UUID, feed: AnyFeed, reader: asyncio.Task[None]) -> None:
        del self._readers[feed]
        self._forget(viewed_id, feed)
        if not feed.has_ended:
            feed.close()
        if not reader.cancelled() and (error := reader.exception()):
            log.error("events.broken", exc_info=error, **{self.viewed: str(viewed_id)})

    def _forget(self, viewed_id: UUID, feed: AnyFeed) -> None:
        if self._feeds.get(viewed_id) is feed:
            del self._feeds[viewed_id]


class Feeds(FeedsOf[Feed]):
    """Those of tasks."""

    def new(self, floor: int) -> Feed:
        return Feed(floor)

    async def read(self, viewed_id: UUID, feed: Feed) -> bool:
        page = await read_events(self._database, viewed_id, feed.seq)
        feed.add(page)
        if page.events or page.has_ended:
            await feed.wake()
        return page.has_more
