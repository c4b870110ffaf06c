from collections.abc import AsyncIterator

import pytest

from activities.sandbox.base import Exit, Job, OnOutput, Sandbox
from activities.sandbox.bubblewrap import Bubblewrap
from tests.integration.sandboxes import Bench, open_folder


class Warmed(Sandbox):
    """Gives each job a sandbox that was started before it, wherever that is possible."""

    name = "bubblewrap"
    takes_interpreters = True

    def __init__(self, sandbox: Bubblewrap) -> None:
        self._sandbox = sandbox

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        await self._sandbox.warm_up(job.limits)
        return await self._sandbox.run(job, on_output)

    async def check(self) -> str:
        return await self._sandbox.check()


@pytest.fixture(scope="session", params=["cold", "warm"])
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """One that starts a sandbox for each job, and one whose jobs come to one that waits."""
    is_warm = request.param == "warm"
    with open_folder() as folder:
        made = Bubblewrap(folder, warm=8 if is_warm else 0)
        yield Warmed(made) if is_warm else made
        await made.close()


@pytest.fixture
async def bench(sandbox: Sandbox) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        yield Bench(sandbox, folder)
