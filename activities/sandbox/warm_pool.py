"""Keeps some sandboxes started for the jobs to come: one more than there are jobs, up to a bound,
and none where no job has come for a while.

None is started while jobs keep all processors busy. One that is started before its job costs a
quarter more processor time in all, and saves none of its waiting then.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

import structlog

from activities.sandbox.base import Job, Limits
from activities.sandbox.processors import Processors
from activities.sandbox.uninterrupted import uninterrupted
from activities.sandbox.warm import WarmSandbox, is_fit, shape_of
from workflows.errors import AgentOSError

IDLE_SECONDS = 60.0
_NEXT_LOOK_SECONDS = 0.1  # where the processors were busy

log = structlog.get_logger(__name__)


class WarmPool:
    """``start`` starts a sandbox for jobs with these limits. At most ``most`` wait. ``are_taken``
    says whether so many jobs keep all processors busy, by default as ``Processors`` does."""

    def __init__(
        self,
        start: Callable[[Limits], WarmSandbox],
        *,
        most: int,
        idle_seconds: float = IDLE_SECONDS,
        are_taken: Callable[[int], bool] | None = None,
    ) -> None:
        self._start = start
        self._are_taken = are_taken or Processors().are_taken
        self._most = most
        self._idle_seconds = idle_seconds
        self._shape: Limits | None = None
        self._waiting: list[WarmSandbox] = []
        self._busy = 0
        self._endings: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def place(self, job: Job) -> AsyncIterator[WarmSandbox | None]:
        """A sandbox for this job, which ends with the block; None if it is to have one of its own.
        Where none waited for the first jobs of their kind, some will for those after them."""
        if self._most == 0 or not is_fit(job):
            yield None
            return
        self._busy += 1
        sandbox = self._take(shape_of(job.limits))
        try:
            yield sandbox
        finally:
            self._busy -= 1
            if sandbox is not None:
                await uninterrupted(self._end(sandbox))

    def fill(self, limits: Limits) -> None:
        """Have sandboxes wait for jobs with these limits."""
        self._shape_for(shape_of(limits))
        self._fill()

    async def close(self) -> None:
        """End those that wait."""
        if self._idle is not None:
            self._idle.cancel()
        self._most = 0
        self._shape = None
        self._drop()
        while self._endings:
            await asyncio.wait(self._endings)

    def _take(self, shape: Limits) -> WarmSandbox | None:
        self._shape_for(shape)
        asyncio.get_running_loop().call_soon(self._fill)  # As soon as this job has begun.
        while self._waiting:
            sandbox = self._waiting.pop(0)
            if sandbox.process.is_alive:
                return sandbox
            self._in_background(self._end(sandbox))
        return None

    def _shape_for(self, shape: Limits) -> None:
        if shape != self._shape:
            self._drop()
            self._shape = shape
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._drop)

    def _fill(self) -> None:
        wanted = min(self._most, self._busy + 1)
        while self._shape is not None and len(self._waiting) < wanted:
            if self._are_taken(self._busy):
                self._fill_later()
                return
            try:
                self._waiting.append(self._start(self._shape))
            except (AgentOSError, OSError) as error:
                # A job that needs it is told of it, in a sandbox of its own.
                log.info("sandbox.none_waits", reason=str(error))
                return

    def _fill_later(self) -> None:
        if self._next_look is None:
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(_NEXT_LOOK_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._next_look = None
        self._fill()

    def _drop(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        while self._waiting:
            self._in_background(self._end(self._waiting.pop()))

    async def _end(self, sandbox: WarmSandbox) -> None:
        try:
            await sandbox.process.end()
            sandbox.claims.close()
        finally:  # Nobody waits for the removal of its files.
            self._in_background(asyncio.to_thread(sandbox.folders.remove))

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
