"""Tells pages that list many things that some have changed, and which kind: they look themselves.

What is announced is of one task, agent or group. Whose it is, is asked once for all that came in
within a moment, and only while somebody views such a page.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from activities.store.database import Database
from activities.store.reading.changes import Topic, changed_topics
from api.http.notifications import Bell, Notifications
from workflows.errors import TemporaryFailure

REST_SECONDS = 1.0
# More than that are not told apart: everybody looks.
MAX_HEARD = 1_000

log = structlog.get_logger(__name__)


class Viewer:
    """Somebody who views a page of a team. ``news`` gathers what has changed since it was taken."""

    def __init__(self) -> None:
        self.bell = Bell()
        self._news: set[str] = set()

    def tell(self, topics: set[str]) -> None:
        self._news |= topics
        self.bell.ring()

    def take(self) -> list[str]:
        news, self._news = sorted(self._news), set()
        return news


class Changes:
    """``run`` hears, for the life of the process."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications
        self._viewers: defaultdict[UUID, set[Viewer]] = defaultdict(set)
        self._heard: set[UUID] = set()
        self.count = 0
        """How much was heard so far. Who looked at one count, and views at another, looks again."""
        self._is_all = False
        self._bell = Bell()
        notifications.on_any = self._hear

    @property
    def has_viewers(self) -> bool:
        return bool(self._viewers)

    @contextmanager
    def viewed(self, team_id: UUID) -> Iterator[Viewer]:
        """A viewer of a team, while the block runs."""
        viewer = Viewer()
        self._viewers[team_id].add(viewer)
        try:
            yield viewer
        finally:
            self._viewers[team_id].discard(viewer)
            if not self._viewers[team_id]:
                del self._viewers[team_id]

    def tell_all(self, topics: set[str]) -> None:
        """Something that concerns every team."""
        self.count += 1
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.tell(topics)

    def close(self) -> None:
        """Let everybody who waits come to an end."""
        self.tell_all(set())

    async def run(self) -> None:
        while True:
            await self._bell.wait(3_600)
            heard, self._heard = self._heard, set()
            is_all, self._is_all = self._is_all, False
            if is_all:
                self.tell_all(set(Topic))
            elif heard:
                await self._tell_whose(heard)
            await asyncio.sleep(REST_SECONDS)

    async def _tell_whose(self, heard: set[UUID]) -> None:
        try:
            found = await changed_topics(self._database, heard)
        except TemporaryFailure as failure:
            log.warning("changes.interrupted", reason=str(failure))
            self._hear(None)
            return
        by_team: defaultdict[UUID, set[str]] = defaultdict(set)
        for team_id, topic in found:
            by_team[team_id].add(topic)
        for team_id, topics in by_team.items():
            for viewer in self._viewers.get(team_id, ()):
                viewer.tell(topics)

    def _hear(self, changed: UUID | None) -> None:
        """None: it may have been anything."""
        self.count += 1
        if not self._viewers:
            return
        if changed is None or len(self._heard) >= MAX_HEARD:
            self._is_all = True
        else:
            self._heard.add(changed)
        self._bell.ring()
