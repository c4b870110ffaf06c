"""The baselines of agents that stay: workflows that are told of a number, and note when they begin
to look, or answer as a member of a group does."""

import time
from datetime import timedelta

from temporalio import activity, workflow

from tests.benchmarks.bare_turns import BareModel

LOOK = "look"

LISTENS_FOR = timedelta(minutes=15)

_TIMEOUT = timedelta(minutes=1)


@activity.defn
async def note_time() -> float:
    """When it began, in seconds since 1970."""
    return time.time()


class BareAnswers(BareModel):
    """Asks as ``BareModel`` does, with all that an agent was told."""

    @activity.defn
    async def answer(self) -> int:
        return await self.ask(_ALL)


_ALL = 1_000_000  # More turns than there are.


@workflow.defn
class BareListener:
    """Each time that it is told something, one local activity notes the time, once for all that
    came meanwhile."""

    def __init__(self) -> None:
        self._heard = 0
        self._read = 0

    @workflow.run
    async def run(self, count: int, heard: int = 0) -> list[float]:
        """The times, once it was told so often; ``heard`` of them it was before."""
        self._heard += heard
        times = []
        while self._read < count:
            await workflow.wait_condition(lambda: self._heard > self._read)
            self._read = self._heard
            times.append(
                await workflow.execute_local_activity(note_time, start_to_close_timeout=_TIMEOUT)
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(args=[count - self._read, self._heard - self._read])
        return times

    @workflow.signal(name=LOOK)
    def look(self, seq: int) -> None:
        self._heard += 1


@workflow.defn
class BareMember:
    """Once it is told something: a local activity, a model that is asked, a local activity."""

    def __init__(self) -> None:
        self._is_told = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._is_told)
        await workflow.execute_local_activity(note_time, start_to_close_timeout=_TIMEOUT)
        await workflow.execute_activity("answer", start_to_close_timeout=_TIMEOUT)
        await workflow.execute_local_activity(note_time, start_to_close_timeout=_TIMEOUT)

    @workflow.signal(name=LOOK)
    def look(self, seq: int) -> None:
        self._is_told = True
