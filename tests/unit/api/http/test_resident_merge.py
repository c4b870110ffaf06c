"""The merging of an agent's live events, over feeds that are filled in any order of things."""

import json
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.store.reading.events import EventPage, StoredEvent
from activities.store.reading.resident_events import ResidentGlance
from api.http.feed import Feed
from api.http.frames import encode, join
from api.http.resident_feeds import InboxFeed
from api.http.resident_merge import (
    Join,
    Leave,
    Merge,
    Position,
    ReadEvents,
    ReadInbox,
    Send,
)

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_EVENT = re.compile(r"event: (\S+)\ndata: (.*)\n(?:id: (\S+)\n)?\n")


def task_of(number: int) -> UUID:
    return UUID(int=number)


def page(events: list[StoredEvent], *, has_ended: bool = False) -> EventPage:
    return EventPage(events, has_more=False, has_ended=has_ended)


@dataclass
class World:
    """What PostgreSQL has: rows of the inbox, and exchanges with their events."""

    rows: list[StoredEvent] = field(default_factory=list)
    exchanges: list[list[StoredEvent]] = field(default_factory=list)
    is_answering: bool = False
    state: int = 0

    def post(self, **data: Any) -> None:
        seq = len(self.rows) + 1
        self.rows.append(StoredEvent(seq, "message", {"seq": seq, **data}, MOMENT))

    def begin(self) -> None:
        if not self.is_answering:
            self.exchanges.append([])
            self.is_answering = True

    def emit(self, type_: str = "llm.delta") -> None:
        if self.is_answering:
            events = self.exchanges[-1]
            text = {"text": 'a\n\nid: 9\ndata: {"'}  # Looks like what the merging puts labels on.
            events.append(StoredEvent(len(events) + 1, type_, text, MOMENT))

    def end(self) -> None:
        if self.is_answering:
            self.emit("task.status")
            self.post(kind="reply", exchange=len(self.exchanges))
            self.is_answering = False

    @property
    def glance(self) -> ResidentGlance:
        number = len(self.exchanges)
        return ResidentGlance(
            shown={"state": self.state, "message_seq": len(self.rows)},
            message_seq=len(self.rows),
            number=number,
            exchange_id=task_of(number) if number else None,
            exchange_seq=len(self.exchanges[-1]) if number else 0,
            is_answering=self.is_answering,
        )


class Seen:
    """What a viewer was sent, over all its connections."""

    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any], Position | None]] = []
        self.last_id: Position | None = None

    def take(self, content: bytes) -> None:
        text = content.decode()
        for type_, data, id_ in _EVENT.findall(text):
            place = Position.read(id_) if id_ else None
            assert place is not None or not id_
            self.last_id = place or self.last_id
            self.all.append((type_, json.loads(data), place))
        assert _EVENT.sub("", text) == ""

    @property
    def rows(self) -> list[int]:
        return [data["seq"] for type_, data, _ in self.all if type_ == "message"]

    def events_of(self, number: int) -> list[int]:
        return [
            place.event_seq
            for _, data, place in self.all
            if data.get("task_id") == str(task_of(number)) and place is not None
        ]


class Connection:
    """One connection of a viewer. Feeds are filled only when the test says so."""

    def __init__(self, world: World, seen: Seen) -> None:
        self.world, self.seen = world, seen
        self.glance = world.glance
        self.merge = Merge(Position.at(self.glance, seen.last_id))
        self.inbox = InboxFeed(self.merge.position.inbox_seq)
        self.exchange: Feed | None = None
        self.number = 0

    def read_inbox(self) -> None:
        self.inbox.add(page(self.world.rows[self.inbox.seq :]))
        self.glance = self.world.glance

    def read_exchange(self) -> None:
        if self.exchange is None or self.exchange.has_ended:
            return
        events = self.world.exchanges[self.number - 1]
        has_ended = self.number < len(self.world.exchanges) or not self.world.is_answering
        self.exchange.add(page(events[self.exchange.seq :], has_ended=has_ended))

    def step(self) -> bool:
        """Do what is due; whether there was something."""
        match self.merge.next(self.glance, self.inbox, self.exchange):
            case Send(content):
                self.seen.take(content)
            case Join(task_id, seq, _):
                self.number = task_id.int
                self.exchange = Feed(seq)
            case Leave():
                self.exchange = None
            case ReadInbox(after):
                frame = join([encode(row) for row in self.world.rows[after:]])
                self.seen.take(self.merge.take_rows(frame.content, frame.seq).content)
            case ReadEvents(task_id, after):
                frame = join([encode(e) for e in self.world.exchanges[task_id.int - 1][after:]])
                self.seen.take(self.merge.take_events(frame.content, frame.seq).content)
            case None:
                return False
        return True

    def settle(self) -> None:
        """Until there is nothing left to send."""
        for _ in range(100):
            self.read_inbox()
            self.read_exchange()
            if not self.step():
                return
        raise AssertionError("it never comes to rest")


def check_order(world: World, seen: Seen, first_row: int) -> None:
    """Rows and events each once and in order, and a reply after all events of its exchange."""
    assert seen.rows == list(range(first_row, len(world.rows) + 1))
    for number in range(1, len(world.exchanges) + 1):
        events = seen.events_of(number)
        assert events == sorted(set(events))
    replied: set[str] = set()
    last_row = first_row - 1
    for type_, data, place in seen.all:
        last_row = data.get("seq", last_row)
        # That which a connection begins with says how things are now; all others, what was told.
        assert type_ != "agent" or place is not None or data["message_seq"] == last_row
        assert data.get("task_id") not in replied
        if type_ == "message" and data.get("kind") == "reply":
            replied.add(str(task_of(data["exchange"])))


# What a viewer does comes more often than what there is to see.
ACTS = (
    *("post", "begin", "emit", "end", "drop", "state"),
    *(2 * ("inbox", "exchange")),
    *(4 * ("step",)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(ACTS), min_size=15, max_size=80), st.integers(0, 2))
def test_whatever_the_order_of_things_each_comes_once_and_in_order(
    acts: list[str], earlier: int
) -> None:
    world, seen = World(), Seen()
    for _ in range(earlier):
        world.post()
    connection = Connection(world, seen)
    connection.step()
    for act in acts:
        match act:
            case "inbox":
                connection.read_inbox()
            case "exchange":
                connection.read_exchange()
            case "step":
                connection.step()
            case "drop":
                connection = Connection(world, seen)
                connection.step()
            case "state":
                world.state += 1
            case _:
                getattr(world, act)()
    connection.settle()
    check_order(world, seen, earlier + 1)
    assert [data for type_, data, _ in seen.all if type_ == "agent"][-1] == world.glance.shown


def test_a_reply_waits_for_the_last_events_of_its_answer_however_late_they_are_read() -> None:
    world, seen = World(), Seen()
    connection = Connection(world, seen)
    world.begin()
    connection.settle()
    world.emit()
    world.end()
    connection.read_inbox()
    while connection.step():
        pass
    assert seen.rows == []
    connection.settle()
    assert seen.rows == [1]
    check_order(world, seen, 1)


def lived_through() -> tuple[World, Seen]:
    """Two exchanges that a viewer has followed from their beginnings, and the start of a third."""
    world, seen = World(), Seen()
    connection = Connection(world, seen)
    for _ in range(2):
        world.post()
        world.begin()
        connection.settle()
        for _ in range(3):
            world.emit()
            connection.settle()
        world.end()
        connection.settle()
    world.post()
    world.begin()
    world.emit()
    world.emit()
    connection.settle()
    return world, seen


def test_a_viewer_that_stays_sees_everything() -> None:
    world, seen = lived_through()
    check_order(world, seen, 1)
    assert [seen.events_of(number) for number in (1, 2, 3)] == [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2]]


def test_from_every_place_a_viewer_can_come_back_without_a_gap() -> None:
    world, seen = lived_through()
    places = [place for _, _, place in seen.all if place is not None]
    assert len(places) > 10
    for place in places:
        again = Seen()
        again.last_id = place
        Connection(world, again).settle()
        assert again.rows == list(range(place.inbox_seq + 1, len(world.rows) + 1))
        # Of what is over its reply alone; of what goes on, the rest.
        assert again.events_of(1) == again.events_of(2) == []
        begun = place.event_seq if place.number == 3 else 0
        assert again.events_of(3) == list(range(begun + 1, 3))


def test_without_a_place_it_begins_now_with_the_whole_answer_that_is_being_written() -> None:
    world, _ = lived_through()
    seen = Seen()
    Connection(world, seen).settle()
    assert seen.rows == []
    assert seen.all[0][0] == "agent"
    assert seen.all[0][2] == Position(5, 3, 0)
    assert seen.events_of(3) == [1, 2]


def test_a_place_beyond_what_there_is_waits_for_what_is_new() -> None:
    world, _ = lived_through()
    seen = Seen()
    seen.last_id = Position(900, 3, 900)
    connection = Connection(world, seen)
    connection.settle()
    world.post()
    world.emit()
    connection.settle()
    assert (seen.rows, seen.events_of(3)) == ([6], [3])


def test_a_slow_viewer_is_given_what_the_feeds_no_longer_keep() -> None:
    world, seen = lived_through()
    seen.last_id = Position(1, 3, 0)
    connection = Connection(world, seen)
    connection.inbox = InboxFeed(4)
    connection.step()
    seen.all.clear()
    connection.settle()
    assert seen.rows == [2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "1.2.-3", "a.b.c", "1.2.3\n", "٣.1.1"])
def test_what_was_never_given_out_is_no_position(text: str) -> None:
    assert Position.read(text) is None


def test_a_position_is_read_as_it_was_written() -> None:
    generator = random.Random(1)
    for _ in range(50):
        place = Position(*(generator.randrange(10**18) for _ in range(3)))
        assert Position.read(str(place)) == place
