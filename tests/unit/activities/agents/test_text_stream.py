"""What a model says reaches those who watch, in order and once."""

import asyncio
from collections.abc import Sequence

import pytest

from activities.agents.text_stream import FIRST_PAUSE_SECONDS, sending_deltas
from workflows.errors import TemporaryFailure
from workflows.events import Event, LlmDelta


class Watchers:
    """Gets what is sent. The first ``absences`` times it does not say so, whether it ``hears``
    then or not."""

    def __init__(self, absences: int = 0, *, hears: bool = False) -> None:
        self.events: list[Event] = []
        self.heard = asyncio.Event()
        self._absences = absences
        self._hears = hears

    async def send(self, said: tuple[Event, ...]) -> None:
        self._absences -= 1
        is_away = self._absences >= 0
        if not is_away or self._hears:
            self.events.extend(said)
        if is_away:
            raise TemporaryFailure(service="PostgreSQL", reason="away")
        self.heard.set()

    @property
    def text(self) -> str:
        return text_of(self.events)


def text_of(events: Sequence[Event]) -> str:
    """What counts of it: what was said since the last restart."""
    text = ""
    for event in events:
        text = "" if event.type == "llm.restarted" else f"{text}{event.data['text']}"
    return text


async def test_text_is_sent_while_the_model_still_speaks() -> None:
    watchers = Watchers()
    async with sending_deltas(3, watchers.send) as deltas:
        deltas.add("Hel")
        deltas.add("lo")
        await asyncio.wait_for(watchers.heard.wait(), 10)
    assert watchers.events == [LlmDelta(turn=3, text="Hello")]


async def test_text_that_was_not_sent_is_written_with_the_turn() -> None:
    watchers = Watchers()
    async with sending_deltas(3, watchers.send) as deltas:
        deltas.add("Hello")
        await asyncio.wait_for(watchers.heard.wait(), 10)
        deltas.add(" world")
    rest = deltas.drain()
    assert watchers.text + "".join(str(event.data["text"]) for event in rest) == "Hello world"


async def test_an_answer_that_comes_at_once_costs_no_event() -> None:
    """The message itself is told with the turn's end."""
    watchers = Watchers()
    async with sending_deltas(3, watchers.send) as deltas:
        deltas.add("Hello")
    assert (watchers.events, deltas.drain()) == ([], ())


@pytest.mark.parametrize("hears", [False, True])
async def test_while_the_database_is_away_nothing_is_lost_and_nothing_said_twice(
    hears: bool,
) -> None:
    watchers = Watchers(absences=2, hears=hears)
    async with sending_deltas(3, watchers.send) as deltas:
        deltas.add("one ")
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2)
        deltas.add("two")
        await asyncio.wait_for(watchers.heard.wait(), 10)
    assert text_of([*watchers.events, *deltas.drain()]) == "one two"


async def test_watchers_are_told_to_forget_what_another_model_says_anew() -> None:
    watchers = Watchers()
    async with sending_deltas(3, watchers.send) as deltas:
        deltas.add("From the first")
        await asyncio.wait_for(watchers.heard.wait(), 10)
        deltas.restart()
        deltas.add("From the second")
    assert [event.type for event in (*watchers.events, *deltas.drain())] == [
        "llm.delta",
        "llm.restarted",
        "llm.delta",
    ]


async def test_what_is_being_sent_when_another_model_starts_over_is_taken_back() -> None:
    watchers = Watchers()
    is_sending, may_go_on = asyncio.Event(), asyncio.Event()

    async def send(said: tuple[Event, ...]) -> None:
        is_sending.set()
        await may_go_on.wait()
        await watchers.send(said)

    async with sending_deltas(3, send) as deltas:
        deltas.add("From the first")
        await asyncio.wait_for(is_sending.wait(), 10)
        deltas.restart()
        deltas.add("From the second")
        may_go_on.set()
    assert text_of([*watchers.events, *deltas.drain()]) == "From the second"


@pytest.mark.parametrize("has_ended", [False, True])
async def test_a_cancelled_turn_does_not_wait_for_what_is_being_sent(has_ended: bool) -> None:
    """The database may be away for as long as it likes, and nothing keeps running for it."""
    is_sending, was_cut_off = asyncio.Event(), asyncio.Event()

    async def send(_: tuple[Event, ...]) -> None:
        is_sending.set()
        try:
            await asyncio.Event().wait()
        finally:
            was_cut_off.set()

    async def speak() -> None:
        async with sending_deltas(3, send) as deltas:
            deltas.add("Hello")
            await is_sending.wait()
            if not has_ended:
                await asyncio.Event().wait()

    turn = asyncio.create_task(speak())
    await asyncio.wait_for(is_sending.wait(), 10)
    await asyncio.sleep(FIRST_PAUSE_SECONDS)
    turn.cancel()
    await asyncio.wait_for(was_cut_off.wait(), 10)
    await asyncio.wait({turn}, timeout=10)
    assert turn.cancelled()
