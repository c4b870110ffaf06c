"""What monitors see of a worker, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from activities.metrics.definitions import DRAINING, OF_PROCESSES, OF_WORKERS, STEP_SLOTS
from activities.metrics.numbers import Numbers
from activities.metrics.process import ProcessNumbers
from activities.metrics.temporal import TemporalNumbers
from activities.sandbox.base import Sandbox
from activities.store.database import Database
from activities.tools.mcp.pool import McpPool
from deploy.settings import Settings
from deploy.worker_address import listener_at
from worker.monitor import Monitor, serving
from worker.readiness import Check, Readiness, SandboxCheck, State


class Monitored:
    """One in a process. ``temporal`` has the runtime for its client.

    Raises:
        WorkerPortUnusable: it cannot listen where it is told to.
    """

    def __init__(self, settings: Settings) -> None:
        self._listener = listener_at(settings.worker_address)
        self._readiness = Readiness()
        self._token = settings.metrics_token
        self.temporal = TemporalNumbers()
        self.numbers = Numbers((*OF_PROCESSES, *OF_WORKERS))
        self.numbers.add(self.temporal)
        self.numbers.add_process()
        self.numbers.set(STEP_SLOTS, settings.running_steps)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer while the block runs, also before the worker is ready and while it ends."""
        async with self.temporal.emptied():
            if self._listener is None:
                yield
                return
            monitor = Monitor(self.numbers, self._readiness, self._token)
            async with serving(monitor, self._listener):
                yield

    @asynccontextmanager
    async def measuring(
        self, database: Database, mcp: McpPool, work_folder: Path
    ) -> AsyncIterator[None]:
        process = ProcessNumbers(self.numbers, database, mcp, {"work": work_folder})
        running = asyncio.create_task(process.run(), name="process-numbers")
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})

    @asynccontextmanager
    async def ready(self, checks: Mapping[str, Check], sandbox: Sandbox) -> AsyncIterator[None]:
        """The worker takes work while the block runs, and needs all of this."""
        trial = SandboxCheck(sandbox)
        self._readiness.checks = {**checks, "sandbox": trial}
        self._readiness.state = State.READY
        try:
            yield
        finally:
            self.drain()
            await trial.close()

    def drain(self) -> None:
        """It takes nothing new any more."""
        self._readiness.state = State.DRAINING
        self.numbers.set(DRAINING, 1)
