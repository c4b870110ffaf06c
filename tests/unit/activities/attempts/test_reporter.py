"""When an attempt tells of itself, and how often."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import TextClause

from activities.attempts.reporter import reporting
from activities.sandbox.base import Stream
from activities.store.attempts import Attempt
from activities.store.database import Database, Row
from workflows.states import Phase


class Listening(Database):
    """Hears the phases that it is told."""

    def __init__(self) -> None:
        super().__init__("postgresql+asyncpg://agentos@127.0.0.1:1/none")
        self.phases: asyncio.Queue[str] = asyncio.Queue()

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row]:
        self.phases.put_nowait(values["phase"])
        return ()


def attempt() -> Attempt:
    return Attempt(uuid4(), uuid4(), run=1, number=1, retries=0, worker_id="worker-1")


async def test_what_is_printed_is_told_before_a_phase_that_has_nothing_to_show() -> None:
    database = Listening()
    async with (
        reporting(database, attempt(), "quiet") as quiet,
        reporting(database, attempt(), "printing") as printing,
    ):
        quiet.enter(Phase.POST_PROCESS)
        await asyncio.sleep(0)
        printing.enter(Phase.EXECUTING)
        printing.output(Stream.STDOUT, b"x")
        assert await database.phases.get() == Phase.EXECUTING
        assert await database.phases.get() == Phase.POST_PROCESS
    await database.close()


async def test_what_takes_long_within_a_phase_is_told_like_what_is_printed() -> None:
    database = Listening()
    async with (
        reporting(database, attempt(), "quiet") as quiet,
        reporting(database, attempt(), "installing") as installing,
    ):
        quiet.enter(Phase.EXECUTING)
        await asyncio.sleep(0)
        installing.say("installing pandas")
        assert await database.phases.get() is None
        assert await database.phases.get() == Phase.EXECUTING
    await database.close()


async def test_phases_that_are_over_at_once_are_left_to_the_end_of_the_attempt() -> None:
    database = Listening()
    async with reporting(database, attempt(), "short") as reporter:
        reporter.enter(Phase.EXECUTING)
        await asyncio.sleep(0)
        reporter.enter(Phase.POST_PROCESS)
    assert database.phases.empty()
    assert len(reporter.drain()) == 2
    await database.close()
