"""One reader in this process of an agent's inbox, and one of a team's agents, for all who view."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from activities.store.reading.events import EventPage, StoredEvent
from activities.store.reading.resident_events import (
    OVERLAP_SECONDS,
    ChangedAgents,
    InboxPage,
    ResidentGlance,
    read_changed,
    read_inbox,
)
from api.http.feed import Feed
from api.http.feeds import FeedsOf
from api.residents.views import show_message

MESSAGE = "message"
AGENT = "agent"
AGENT_DELETED = "agent.deleted"
RESYNC = "resync"

# After a reading of a team: what changes meanwhile is read together.
REST_SECONDS = 0.2


class InboxFeed(Feed):
    """The rows of an agent's inbox as events, by their own numbers. ``glance`` is how the agent
    was when the last of them was read; None before."""

    glance: ResidentGlance | None = None


class InboxFeeds(FeedsOf[InboxFeed]):
    """Those of agents."""

    viewed = "agent_id"
    # Whoever opens a chat has its last page already.
    margin_events = 0

    def new(self, floor: int) -> InboxFeed:
        return InboxFeed(floor)

    async def read(self, viewed_id: UUID, feed: InboxFeed) -> bool:
        page = await read_inbox(self._database, viewed_id, feed.seq)
        is_news = bool(page.messages) or page.glance is None or page.glance != feed.glance
        feed.add(inbox_events(page))
        feed.glance = page.glance or feed.glance
        if is_news:
            await feed.wake()
        return page.has_more


def inbox_events(page: InboxPage) -> EventPage:
    """The rows as events. An agent that is gone has ended."""
    if page.glance is None:
        return EventPage((), has_more=False, has_ended=True)
    name = page.glance.shown["name"]
    events = [
        StoredEvent(
            message.seq,
            MESSAGE,
            show_message(message, name).model_dump(mode="json", exclude={"created_at"}),
            message.created_at,
        )
        for message in page.messages
    ]
    return EventPage(events, page.has_more, has_ended=False)


class TeamFeed(Feed):
    """What changed of a team's agents, numbered by this process alone.

    ``sent`` is what was sent of the agents that changed of late, and when they did.
    """

    def __init__(self, floor: int) -> None:
        super().__init__(floor)
        self.since: datetime | None = None
        self.connections: int | None = None
        self.sent: dict[UUID, tuple[datetime, Mapping[str, Any] | None]] = {}

    def take(self, changed: ChangedAgents) -> bool:
        """Whether there was something new."""
        events: list[StoredEvent] = []
        for agent_id, changed_at, shown in changed.agents:
            if self.sent.get(agent_id, (None, {}))[1] == shown:
                continue
            self.sent[agent_id] = (changed_at, shown)
            is_gone = shown is None
            events.append(
                StoredEvent(
                    self.seq + len(events) + 1,
                    AGENT_DELETED if is_gone else AGENT,
                    shown or {"id": str(agent_id)},
                    changed_at,
                )
            )
        self.add(EventPage(events, has_more=False, has_ended=False))
        return bool(events)

    def forget(self, before: datetime) -> None:
        """No reading gives what changed before this moment any more."""
        self.sent = {key: value for key, value in self.sent.items() if value[0] >= before}

    def say_resync(self, at: datetime) -> None:
        event = StoredEvent(self.seq + 1, RESYNC, {}, at)
        self.add(EventPage([event], has_more=False, has_ended=False))


class TeamFeeds(FeedsOf[TeamFeed]):
    """Those of teams."""

    viewed = "team_id"

    def new(self, floor: int) -> TeamFeed:
        return TeamFeed(floor)

    async def read(self, viewed_id: UUID, feed: TeamFeed) -> bool:
        connections = self._notifications.connections
        is_news = feed.connections not in (None, connections)
        if is_news and feed.since is not None:
            feed.say_resync(feed.since)
        since, after, read_at = feed.since, None, None
        while True:
            changed = await read_changed(self._database, viewed_id, since, after)
            since, read_at = since or changed.read_at, read_at or changed.read_at
            is_news |= feed.take(changed)
            if not changed.has_more:
                break
            last_id, last_change, _ = changed.agents[-1]
            after = last_change, last_id
        feed.connections, feed.since = connections, read_at
        feed.forget(since - timedelta(seconds=OVERLAP_SECONDS))
        if is_news:
            await feed.wake()
        await asyncio.sleep(REST_SECONDS)
        return False
