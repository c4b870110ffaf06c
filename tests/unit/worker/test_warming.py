"""Sandboxes are prepared beside the work of a worker, which they cannot hold up."""

import asyncio

import pytest

from activities.sandbox.base import Exit, Job, Limits, OnOutput, Sandbox
from worker.warming import warming
from workflows.errors import AgentOSError
from workflows.errors.scripts import SandboxUnavailable

LIMITS = Limits(processes=16)


class Preparing(Sandbox):
    """``warmed_up`` is what it was asked to be prepared for; it ends with ``error``, or never."""

    name = "preparing"

    def __init__(self, error: AgentOSError | OSError | None = None) -> None:
        self.warmed_up: list[Limits] = []
        self.is_cancelled = False
        self._error = error

    async def warm_up(self, limits: Limits) -> None:
        self.warmed_up.append(limits)
        if self._error is not None:
            raise self._error
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        raise NotImplementedError

    async def check(self) -> str:
        raise NotImplementedError


async def test_a_worker_does_not_wait_until_its_sandbox_is_prepared() -> None:
    sandbox = Preparing()
    async with warming(sandbox, LIMITS):
        await asyncio.sleep(0)
        assert sandbox.warmed_up == [LIMITS]
    assert sandbox.is_cancelled


@pytest.mark.parametrize(
    "error",
    [SandboxUnavailable(sandbox="bubblewrap", reason="no bwrap", remedy="Get one."), OSError(28)],
    ids=["unavailable", "full"],
)
async def test_a_sandbox_that_cannot_be_prepared_ends_no_worker(
    error: AgentOSError | OSError,
) -> None:
    sandbox = Preparing(error)
    async with warming(sandbox, LIMITS):
        await asyncio.sleep(0)
        assert sandbox.warmed_up == [LIMITS]
