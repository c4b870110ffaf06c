"""A sandbox whose jobs are counted, whatever the backend."""

from pathlib import Path

from activities.metrics.definitions import SANDBOX_ENDS, SANDBOX_START, SANDBOXES
from activities.metrics.numbers import Numbers
from activities.sandbox.base import Exit, Job, Limits, OnOutput, Sandbox


class CountedSandbox(Sandbox):
    """Whoever built the ``sandbox`` closes it."""

    def __init__(self, sandbox: Sandbox, numbers: Numbers) -> None:
        self._sandbox = sandbox
        self._numbers = numbers
        self.name = sandbox.name  # type: ignore[misc]  # that of the backend
        self.takes_interpreters = sandbox.takes_interpreters  # type: ignore[misc]

    @property
    def python(self) -> Path:
        return self._sandbox.python

    @property
    def kind(self) -> str:
        return self._sandbox.kind

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        end = "error"
        try:
            with self._numbers.during(SANDBOXES):
                ended = await self._sandbox.run(job, on_output)
            if ended.start_ms is not None:
                start = "warm" if ended.was_warm else "cold"
                self._numbers.observe(SANDBOX_START, ended.start_ms / 1_000, start)
            end = "ok" if ended.ok else "failed" if ended.limit is None else "limit"
            return ended
        finally:
            self._numbers.count(SANDBOX_ENDS, end)

    async def warm_up(self, limits: Limits) -> None:
        await self._sandbox.warm_up(limits)

    async def check(self) -> str:
        return await self._sandbox.check()
