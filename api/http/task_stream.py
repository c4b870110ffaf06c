"""A task's events as server-sent events: each one, once, in order, until the task has ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from activities.store.database import Database
from activities.store.reading.events import find_end, read_events
from api.errors import NotFound
from api.http import event_stream
from api.http.event_stream import RETRY
from api.http.feeds import Feeds
from api.http.frames import Frame, encode_page


class NothingMore(Exception):
    """The task has ended, and the client has seen everything: it need not come back."""


@dataclass(frozen=True, slots=True)
class Position:
    """A client's place in the events of a task: it has seen number ``seq`` and all before.

    There are events up to ``last_seq``, or more by now.
    """

    task_id: UUID
    seq: int
    last_seq: int


async def find_position(database: Database, team_id: UUID, task_id: UUID, seq: int) -> Position:
    """Raises ``NotFound`` or ``NothingMore``."""
    end = await find_end(database, team_id, task_id)
    if end is None:
        raise NotFound(kind="task", id=task_id)
    if end.is_final and 0 < end.seq <= seq:
        raise NothingMore
    return Position(task_id, seq, end.seq)


async def follow(
    database: Database, feeds: Feeds, position: Position
) -> AsyncGenerator[bytes, None]:
    """Whole events, one or several at a time, from a position on. Ends after the event that says
    how the task ended."""
    task_id, seq = position.task_id, position.seq
    yield RETRY
    with feeds.joined(task_id, seq, position.last_seq) as feed:
        following = event_stream.follow(feed, seq, partial(missed, database, task_id))
        async with aclosing(following):
            async for content in following:
                yield content


async def missed(database: Database, task_id: UUID, seq: int) -> Frame:
    """A page of what the feed does not keep any more; empty if that was deleted."""
    return encode_page(await read_events(database, task_id, seq), seq)
