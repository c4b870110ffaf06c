"""The live events of an agent that stays, and of all of a team, as server-sent events."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from activities.store.database import Database
from activities.store.reading.resident_events import ResidentGlance, find_glance, read_inbox
from api.errors import HeaderMalformed, InvalidRequest, NotFound
from api.http import event_stream, task_stream
from api.http.event_stream import RETRY
from api.http.feed import Feed
from api.http.feeds import RETRY_SECONDS, Feeds
from api.http.frames import Frame, encode_page
from api.http.resident_feeds import (
    AGENT_DELETED,
    RESYNC,
    InboxFeed,
    InboxFeeds,
    TeamFeed,
    TeamFeeds,
    inbox_events,
)
from api.http.resident_merge import (
    Join,
    Leave,
    Merge,
    Position,
    ReadEvents,
    ReadInbox,
    Send,
)
from workflows.errors import TemporaryFailure
from workflows.pointers import Problem

_NUMBER = re.compile(rb"\nid: [0-9]+(?=\n)")
_MALFORMED = "it is not the id of an event of an agent"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a viewer begins, and how the agent was then."""

    agent_id: UUID
    position: Position
    glance: ResidentGlance


def parse_position(last_event_id: str | None, after: str | None) -> Position | None:
    """What a client has seen; None when it begins now.

    Raises:
        HeaderMalformed, InvalidRequest
    """
    if last_event_id:
        seen = Position.read(last_event_id)
        if seen is None:
            raise HeaderMalformed(header="Last-Event-ID", reason=_MALFORMED)
        return seen
    if after is None:
        return None
    seen = Position.read(after)
    if seen is None:
        raise InvalidRequest([Problem("", f"query after: {_MALFORMED}", "after")])
    return seen


async def find_place(
    database: Database, team_id: UUID, agent_id: UUID, seen: Position | None
) -> Place:
    """Raises ``NotFound``."""
    glance = await find_glance(database, team_id, agent_id)
    if glance is None:
        raise NotFound(kind="agent", id=agent_id)
    return Place(agent_id, Position.at(glance, seen), glance)


async def follow(
    database: Database, feeds: Feeds, inboxes: InboxFeeds, place: Place
) -> AsyncGenerator[bytes, None]:
    """Whole events, one or several at a time, until the agent is deleted."""
    yield RETRY
    viewer = _Viewer(database, feeds, place)
    joined = inboxes.joined(place.agent_id, place.position.inbox_seq, place.glance.message_seq)
    with joined as inbox:
        # What is known here may be older than the place that was looked up.
        inboxes.ring(place.agent_id)
        async with viewer.woken_by(inbox):
            while not inbox.is_closed:
                try:
                    content = await viewer.next(inbox)
                except TemporaryFailure as failure:
                    log.warning("events.interrupted", reason=str(failure))
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if content is not None:
                    if content:  # Nothing at all would end the answer.
                        yield content
                elif inbox.has_ended:
                    yield _event(AGENT_DELETED, f'{{"id": "{place.agent_id}"}}')
                    return
                elif viewer.is_cut_off:
                    return
                else:
                    await viewer.news()
                    if viewer.is_idle(inbox):
                        yield KEEPALIVE_COMMENT


async def follow_team(teams: TeamFeeds, team_id: UUID) -> AsyncGenerator[bytes, None]:
    """The agents of a team that change. It begins, as after each gap, with ``resync``: a client
    lists them then."""
    yield RETRY
    with teams.joined(team_id, 0, 0) as feed:
        seq = feed.seq
        yield _event(RESYNC, "{}")
        following = event_stream.follow(feed, seq, partial(_skipped, feed))
        async with aclosing(following):
            async for content in following:
                # The numbers are those of this process: nobody can come back to one.
                yield _NUMBER.sub(b"", content)


async def _skipped(feed: TeamFeed, _: int) -> Frame:
    """In place of what the feed does not keep any more."""
    return Frame(feed.seq, _event(RESYNC, "{}"))


class _Viewer:
    """Does what the merging asks for. ``is_cut_off``: the exchange's reader has broken."""

    def __init__(self, database: Database, feeds: Feeds, place: Place) -> None:
        self.is_cut_off = False
        self._database = database
        self._feeds = feeds
        self._place = place
        self._merge = Merge(place.position)
        self._woken = asyncio.Event()
        self._exchange: Feed | None = None
        self._stack = AsyncExitStack()

    @asynccontextmanager
    async def woken_by(self, inbox: InboxFeed) -> AsyncIterator[None]:
        async with self._stack, _ringing(inbox, self._woken):
            yield

    async def next(self, inbox: InboxFeed) -> bytes | None:
        """What to send now, if there is anything."""
        while True:
            glance = inbox.glance or self._place.glance
            step = self._merge.next(glance, inbox, self._exchange)
            match step:
                case Send(content):
                    return content
                case ReadInbox(after):
                    frame = await _missed_rows(self._database, self._place.agent_id, after)
                    # There may be none between: then it goes on with those that the feed has.
                    last = frame.seq if frame.seq > after else inbox.floor
                    return self._merge.take_rows(frame.content, last).content
                case ReadEvents(task_id, after):
                    frame = await task_stream.missed(self._database, task_id, after)
                    if frame.seq > after:
                        return self._merge.take_events(frame.content, frame.seq).content
                    self.is_cut_off = True  # They were deleted: whoever comes back begins now.
                    return None
                case Join():
                    await self._join(step)
                case Leave():
                    await self._leave()
                case None:
                    self.is_cut_off = self._exchange is not None and self._exchange.is_closed
                    return None

    async def news(self) -> None:
        await self._woken.wait()
        self._woken.clear()

    def is_idle(self, inbox: InboxFeed) -> bool:
        """Whether it was woken for nothing: it is the time of a heartbeat."""
        position = self._merge.position
        exchange = self._exchange
        has_more = inbox.seq > position.inbox_seq or inbox.has_ended
        return not has_more and (exchange is None or exchange.seq <= position.event_seq)

    async def _join(self, wanted: Join) -> None:
        joined = self._feeds.joined(wanted.task_id, wanted.seq, wanted.last_seq)
        self._exchange = self._stack.enter_context(joined)
        await self._stack.enter_async_context(_ringing(self._exchange, self._woken))

    async def _leave(self) -> None:
        self._exchange = None
        await self._stack.aclose()


@asynccontextmanager
async def _ringing(feed: Feed, woken: asyncio.Event) -> AsyncIterator[None]:
    """Set ``woken`` whenever there is news in the feed, while the block runs."""
    ringing = asyncio.create_task(_ring(feed, woken))
    try:
        yield
    finally:
        ringing.cancel()
        with suppress(asyncio.CancelledError):
            await ringing


async def _ring(feed: Feed, woken: asyncio.Event) -> None:
    while True:
        # First: what came before this began is news as well. Nothing comes between the two lines.
        woken.set()
        if feed.is_closed or feed.has_ended:
            return
        await feed.news()


async def _missed_rows(database: Database, agent_id: UUID, after: int) -> Frame:
    return encode_page(inbox_events(await read_inbox(database, agent_id, after)), after)


def _event(type_: str, data: str) -> bytes:
    return format_sse_event(event=type_, data_str=data)
