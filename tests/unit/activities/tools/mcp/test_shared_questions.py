"""Whose a question is, where calls share the connection of a server that does not say."""

import asyncio
from typing import Any, cast

import mcp_types as types

from activities.tools.mcp.asking import Asker, Askers
from activities.tools.mcp.options import Patience

LONG_SECONDS = 600.0


def asked(text: str) -> types.ElicitRequestFormParams:
    return types.ElicitRequestFormParams(
        message=text, requested_schema={"type": "object", "properties": {}}
    )


class Call:
    """A call that runs until it is ended."""

    def __init__(self, askers: Askers, *, is_alone: bool = False) -> None:
        self._context = askers.asker({}, is_alone=is_alone)
        self._askers = askers
        self.asker: Asker | None = None

    async def begin(self) -> "Call":
        self.asker = await self._context.__aenter__()
        return self

    async def end(self) -> Asker:
        assert self.asker
        await self._context.__aexit__(None, None, None)
        return self.asker


def ask(askers: Askers, text: str) -> asyncio.Task[types.ElicitResult]:
    return asyncio.create_task(askers.ask(cast(Any, None), asked(text)))


async def settled(*tasks: asyncio.Task[types.ElicitResult]) -> None:
    """Let everything run that need not wait for time to pass."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert not [task for task in tasks if task.done()]


async def test_a_question_beside_a_call_that_ends_is_that_of_the_other() -> None:
    askers = Askers(str, Patience(quiet_seconds=LONG_SECONDS))
    quiet, curious = await Call(askers).begin(), await Call(askers).begin()
    first, second = ask(askers, "First?"), ask(askers, "Second?")
    await settled(first, second)
    ended = await quiet.end()
    assert (ended.question, ended.is_unclear) == (None, False)
    assert [(await each).action for each in (first, second)] == ["cancel", "cancel"]
    asker = await curious.end()
    assert asker.question is not None
    assert asker.question.text == "First?"
    assert not asker.is_unclear


async def test_calls_that_end_when_a_question_is_cancelled_have_asked_it() -> None:
    askers = Askers(str, Patience(quiet_seconds=0.01, ending_seconds=LONG_SECONDS))
    calls = [await Call(askers).begin() for _ in range(3)]
    questions = [ask(askers, text) for text in "ABC"]
    texts = []
    for call, question in zip(calls, questions, strict=True):
        assert (await question).action == "cancel"
        ended = await call.end()
        assert not ended.is_unclear
        texts.append(ended.question and ended.question.text)
    assert texts == ["A", "B", "C"]
    assert not askers.is_confusing


async def test_a_call_beside_one_that_asks_twice_is_unclear_and_no_other_begins_meanwhile() -> None:
    askers = Askers(str, Patience(quiet_seconds=0.0, ending_seconds=0.01))
    slow, curious = await Call(askers).begin(), await Call(askers).begin()
    first, second = ask(askers, "First?"), ask(askers, "Second?")
    assert (await first).action == "cancel"
    while not askers.is_confusing:  # Nobody has ended upon that.
        await asyncio.sleep(0.01)
    await settled(second)
    beginning = asyncio.create_task(Call(askers).begin())
    await settled()
    assert not beginning.done()
    ended = await slow.end()
    assert (ended.question, ended.is_unclear) == (None, True)
    assert (await second).action == "cancel"
    asker = await curious.end()
    assert asker.question is not None
    assert asker.question.text == "Second?"
    assert not asker.is_unclear
    await (await beginning).end()
