"""What a feed keeps of a task's events."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from activities.store.reading.events import EventPage, StoredEvent
from api.http.feed import CHUNK_BYTES, KEPT_BYTES, KEPT_EVENTS, WOKEN_AT_ONCE, Feed

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def page(numbers: Sequence[int], text: str = "word", *, has_ended: bool = False) -> EventPage:
    events = [StoredEvent(seq, "step.output", {"text": text}, MOMENT) for seq in numbers]
    return EventPage(events, has_more=False, has_ended=has_ended)


def kept(feed: Feed) -> int:
    """The bytes of all that a viewer could still be sent from it."""
    seq, size_bytes = feed.floor, 0
    while (frame := feed.after(seq)) is not None and frame.content:
        seq = frame.seq
        size_bytes += len(frame.content)
    assert seq == feed.seq
    return size_bytes


def test_viewers_at_one_place_are_sent_the_same_bytes() -> None:
    feed = Feed(0)
    feed.add(page([1, 2, 3]))
    first, second = feed.after(1), feed.after(1)
    assert first is second
    assert first is not None
    assert first.seq == 3
    assert first.content.count(b"\nid: ") == 2


def test_a_place_below_what_is_kept_is_not_served() -> None:
    feed = Feed(0)
    feed.add(page(range(1, KEPT_EVENTS + 11)))
    assert feed.floor == 10
    assert feed.after(9) is None
    assert feed.after(10) is not None


def test_a_feed_begins_where_its_first_viewer_is() -> None:
    feed = Feed(40)
    assert feed.after(39) is None
    assert feed.after(40) == (40, b"")


def test_a_place_beyond_the_last_event_waits_for_its_own_next() -> None:
    feed = Feed(0)
    feed.add(page([1, 2]))
    assert feed.after(5) == (5, b"")


@pytest.mark.parametrize("letters", [10, 5_000, KEPT_BYTES + 1])
def test_memory_is_bounded_however_large_events_are(letters: int) -> None:
    feed = Feed(0)
    for number in range(1, 1_001):
        feed.add(page([number], "x" * letters))
    assert kept(feed) <= KEPT_BYTES


def test_large_events_are_sent_some_at_a_time() -> None:
    feed = Feed(0)
    feed.add(page(range(1, 11), "x" * (CHUNK_BYTES // 3)))
    frame = feed.after(0)
    assert frame is not None
    assert CHUNK_BYTES <= len(frame.content) < 2 * CHUNK_BYTES
    assert frame.seq < feed.seq


async def test_other_work_has_its_turn_while_many_are_woken() -> None:
    feed = Feed(0)
    woken = 0

    async def wait() -> None:
        nonlocal woken
        await feed.news()
        woken += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(10 * WOKEN_AT_ONCE):
            group.create_task(wait())
        await asyncio.sleep(0)
        waking = group.create_task(feed.wake())
        most = 0
        while not waking.done() and woken < 10 * WOKEN_AT_ONCE:
            before = woken
            await asyncio.sleep(0)
            most = max(most, woken - before)
    assert woken == 10 * WOKEN_AT_ONCE
    assert most <= WOKEN_AT_ONCE


async def test_a_viewer_that_went_away_is_forgotten() -> None:
    feed = Feed(0)
    waiting = asyncio.create_task(feed.news())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await feed.wake()
    feed.close()
    assert feed.is_closed
