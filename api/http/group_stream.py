"""The live events of a group: what is said in it, each once and in order, and how it is now."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from fastapi.sse import format_sse_event

from activities.store.database import Database
from activities.store.reading.events import EventPage, StoredEvent
from activities.store.reading.groups import GroupPage, read_group_page
from api.groups.views import group_fields, show_group_message
from api.http import event_stream
from api.http.event_stream import RETRY
from api.http.feed import Feed
from api.http.feeds import FeedsOf
from api.http.frames import Frame, encode_page

MESSAGE = "message"
GROUP = "group"
GROUP_DELETED = "group.deleted"


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
    group_id, seq = place.group_id, place.seq
    yield RETRY
    with feeds.joined(group_id, seq, place.last_seq) as feed:
        following = event_stream.follow(
            feed, seq, partial(_missed, database, group_id), _Beside(feed).news
        )
        async with aclosing(following):
            async for content in following:
                yield content
        if feed.has_ended:
            yield format_sse_event(event=GROUP_DELETED, data_str=json.dumps({"id": str(group_id)}))


class _Beside:
    """What a viewer was sent of how the group is."""

    def __init__(self, feed: GroupFeed) -> None:
        self._feed = feed
        self._sent: Mapping[str, Any] | None = None

    def news(self, seq: int) -> bytes:
        """How it is now, if that is new. After what was said up to ``seq``: it is how the group
        was then."""
        shown = self._feed.shown
        if shown is None or shown == self._sent:
            return b""
        self._sent = shown
        # With the place, so that a viewer that is cut off before anything is said has one.
        return format_sse_event(id=str(seq), event=GROUP, data_str=json.dumps(dict(shown)))


async def _missed(database: Database, group_id: UUID, seq: int) -> Frame:
    """A page of what the feed does not keep any more."""
    return encode_page(_events(await read_group_page(database, group_id, seq)), seq)


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
