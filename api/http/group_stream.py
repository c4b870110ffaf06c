"""The live events of a group: what is said in it, each once and in order, and how it is now."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from activities.store.database import Database
from activities.store.reading.events import EventPage, StoredEvent
from activities.store.reading.groups import GroupPage, read_group_page
from api.groups.views import group_fields, show_group_message
from api.http.event_stream import RETRY
from api.http.feed import Feed
from api.http.feeds import RETRY_SECONDS, FeedsOf
from api.http.frames import Frame, encode, join
from workflows.errors import TemporaryFailure

MESSAGE = "message"
GROUP = "group"
GROUP_DELETED = "group.deleted"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """What a viewer has seen: messages up to ``seq``. There are some up to ``last_seq``."""

    group_id: UUID
    seq: int
    last_seq: int


class GroupFeed(Feed):
    """``shown`` is how the group was when the last of its messages was read; None before."""

    shown: Mapping[str, Any] | None = None


class GroupFeeds(FeedsOf[GroupFeed]):
    """Those of groups."""

    viewed = "group_id"
    # Whoever opens a group has its last page already.
    margin_events = 0

    def new(self, floor: int) -> GroupFeed:
        return GroupFeed(floor)

    async def read(self, viewed_id: UUID, feed: GroupFeed) -> bool:
        page = await read_group_page(self._database, viewed_id, feed.seq)
        shown = None if page.group is None else group_fields(page.group, page.members)
        is_news = bool(page.messages) or page.group is None or shown != feed.shown
        feed.add(_events(page))
        feed.shown = shown or feed.shown
        if is_news:
            await feed.wake()
        return page.has_more


async def follow(
    database: Database, feeds: GroupFeeds, place: GroupPlace
) -> AsyncGenerator[bytes, None]:
    """Whole events, one or several at a time, until the group is deleted."""
    seq = place.seq
    sent: Mapping[str, Any] | None = None
    yield RETRY
    with feeds.joined(place.group_id, seq, place.last_seq) as feed:
        while not feed.is_closed:
            try:
                frame = feed.after(seq) or await _missed(database, place.group_id, seq)
            except TemporaryFailure as failure:
                log.warning("events.interrupted", reason=str(failure))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if frame.seq > seq:
                seq = frame.seq
                yield frame.content
            elif feed.has_ended:
                yield format_sse_event(
                    event=GROUP_DELETED, data_str=json.dumps({"id": str(place.group_id)})
                )
                return
            elif feed.shown is not None and feed.shown != sent:
                # After what was said: it is how the group was then. With the place, so that a
                # viewer that is cut off before anything is said has one.
                sent = feed.shown
                yield format_sse_event(id=str(seq), event=GROUP, data_str=json.dumps(dict(sent)))
            else:
                await feed.news()
                if feed.seq <= seq and feed.shown == sent:
                    yield KEEPALIVE_COMMENT


async def _missed(database: Database, group_id: UUID, seq: int) -> Frame:
    """A page of what the feed does not keep any more."""
    page = await read_group_page(database, group_id, seq)
    frames = [encode(event) for event in _events(page).events]
    return join(frames) if frames else Frame(seq, b"")


def _events(page: GroupPage) -> EventPage:
    events = [
        StoredEvent(
            message.seq,
            MESSAGE,
            show_group_message(message).model_dump(mode="json", exclude={"created_at"}),
            message.created_at,
        )
        for message in page.messages
    ]
    return EventPage(events, has_more=page.has_more, has_ended=page.group is None)
