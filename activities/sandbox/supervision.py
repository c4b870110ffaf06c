"""Stands by a running job: passes on what it prints and stops it at its limits."""

import asyncio
from concurrent.futures import Executor

from activities.disk import room_on
from activities.sandbox.base import Job, Limit, NoRoom, OnOutput, Stream
from activities.sandbox.cgroups import Cgroup
from activities.sandbox.processes import Process
from activities.sandbox.tree import ProcessTable
from activities.sandbox.watchdog import Watchdog

_TAIL_BYTES = 4096


class Supervision:
    """``limit`` is the first one that the job was stopped for, ``tail`` the end of its stderr."""

    def __init__(self, process: Process, job: Job, on_output: OnOutput) -> None:
        self.limit: Limit | None = None
        self.no_room: NoRoom | None = None
        self.tail = b""
        self.peak_memory_bytes: int | None = None
        self._process = process
        self._job = job
        self._on_output = on_output
        self._printed = 0

    async def attend(
        self, table: ProcessTable, executor: Executor, cgroup: Cgroup | None = None
    ) -> None:
        """Until no process of the job is left, or cancelled, or ``on_output`` raises."""
        wall = asyncio.get_running_loop().call_later(
            self._job.limits.wall_seconds, self._stop, Limit.WALL_TIME
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(Stream.STDOUT, self._process.stdout))
                group.create_task(self._pass_on(Stream.STDERR, self._process.stderr))
                watching = group.create_task(self._watch(table, executor, cgroup))
                await self._process.wait()
                watching.cancel()
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            wall.cancel()

    def _stop(self, limit: Limit) -> None:
        self.limit = self.limit or limit
        self._process.kill()

    async def _pass_on(self, stream: Stream, descriptor: int) -> None:
        while piece := await self._process.read(descriptor):
            allowed = piece[: max(0, self._job.limits.printed_bytes - self._printed)]
            self._printed += len(piece)
            if stream is Stream.STDERR:
                self.tail = (self.tail + piece)[-_TAIL_BYTES:]
            if len(allowed) < len(piece):
                self._stop(Limit.PRINTED)
            if allowed:
                self._on_output(stream, allowed)

    async def _watch(self, table: ProcessTable, executor: Executor, cgroup: Cgroup | None) -> None:
        job, room = self._job, room_on(self._job.output)  # Before the job has written anything.
        inner = await self._process.inner()
        dog = Watchdog(inner, job.output, job.limits, table, room.free_bytes, cgroup)
        try:
            reached = await dog.watch(executor)
            if self.limit is None:
                self.no_room = dog.no_room
            self._stop(reached)
        finally:
            self.peak_memory_bytes = dog.peak_memory_bytes or None
