"""One reader of a task's events in this process, however many view the task."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial
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

log = structlog.get_logger(__name__)


class Feeds:
    """Those of the tasks that are viewed now: the first viewer opens one, the last closes it.

    After ``heartbeat_seconds`` of silence viewers are woken all the same. The reader then also
    looks for events that nobody announced: a lost notification costs this long, and no event.
    """

    def __init__(
        self, database: Database, notifications: Notifications, *, heartbeat_seconds: float
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._heartbeat_seconds = heartbeat_seconds
        self._feeds: dict[UUID, Feed] = {}
        self._readers: dict[Feed, asyncio.Task[None]] = {}

    @contextmanager
    def joined(self, task_id: UUID, seq: int, last_seq: int) -> Iterator[Feed]:
        """The feed of a task, for a viewer that has seen number ``seq``, while the block runs.

        ``last_seq`` is that of an event which is in the database.
        """
        feed = self._feeds.get(task_id)
        # After the end of a run there is another feed: somebody may have retried the task.
        if feed is None or feed.has_ended:
            floor = max(0, min(seq, last_seq) - MARGIN_EVENTS, last_seq - KEPT_EVENTS)
            feed = self._open(task_id, floor)
        elif feed.seq < last_seq:  # The notification is on its way, or got lost.
            self._notifications.ring(task_id)
        feed.viewers += 1
        try:
            yield feed
        finally:
            feed.viewers -= 1
            if not feed.viewers:
                self._forget(task_id, feed)
                if reader := self._readers.get(feed):
                    reader.cancel()

    def _open(self, task_id: UUID, floor: int) -> Feed:
        feed = self._feeds[task_id] = Feed(floor)
        # In a context of its own: what it logs belongs to no request.
        reader = asyncio.create_task(self._read(task_id, feed), context=Context())
        self._readers[feed] = reader
        reader.add_done_callback(partial(self._on_end, task_id, feed))
        return feed

    async def _read(self, task_id: UUID, feed: Feed) -> None:
        with self._notifications.listening(task_id) as bell:
            while not (self._notifications.closing or feed.has_ended):
                try:
                    page = await read_events(self._database, task_id, feed.seq)
                except TemporaryFailure as failure:
                    log.warning("events.interrupted", task_id=str(task_id), reason=str(failure))
                    await bell.wait(RETRY_SECONDS)
                    continue
                feed.add(page)
                if page.events or page.has_ended:
                    await feed.wake()
                if page.has_more or page.has_ended:
                    continue
                if not await bell.wait(self._heartbeat_seconds):
                    await feed.wake()

    def _on_end(self, task_id: UUID, feed: Feed, reader: asyncio.Task[None]) -> None:
        del self._readers[feed]
        self._forget(task_id, feed)
        if not feed.has_ended:
            feed.close()
        if not reader.cancelled() and (error := reader.exception()):
            log.error("events.broken", task_id=str(task_id), exc_info=error)

    def _forget(self, task_id: UUID, feed: Feed) -> None:
        if self._feeds.get(task_id) is feed:
            del self._feeds[task_id]
