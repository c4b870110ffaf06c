"""The default sandbox: bubblewrap, with a seccomp filter, limits and a user for each job.

Every job is in a network of its own with nothing in it; one with ``network`` finds a proxy there
(``egress``). Its memory is bounded by a control group (``cgroups``) where one can be had, and
watched elsewhere. What this does not cover. /proc/self/mountinfo and /proc/1/exe name host paths.
Where memory is watched, that of the kernel is counted only as far as ``kernel_memory`` says, and a
root worker without CAP_SYS_PTRACE cannot count files in memory, files without a name and pipes. The
kernel is shared: a hole in it is a way out.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

import structlog

from activities.sandbox.backends import MAX_RUNNING, SandboxOptions
from activities.sandbox.base import Exit, Job, Limit, Limits, OnOutput, Sandbox
from activities.sandbox.cgroups import Cgroup, Cgroups, open_cgroups
from activities.sandbox.egress import Egress
from activities.sandbox.folders import hand_over, has_little, take_back
from activities.sandbox.host import Host, find_host, verify_reach
from activities.sandbox.interpreter import sandbox_python
from activities.sandbox.own_folder import OwnFolder
from activities.sandbox.processes import Process
from activities.sandbox.profile import (
    Bounds,
    bounded,
    bounds,
    job_arguments,
    opening_way_out,
    waiting_arguments,
)
from activities.sandbox.slots import Slots
from activities.sandbox.starting import group, start_bwrap
from activities.sandbox.supervision import Supervision
from activities.sandbox.tree import ProcessTable
from activities.sandbox.trial import try_sandbox
from activities.sandbox.uninterrupted import uninterrupted
from activities.sandbox.validation import validate
from activities.sandbox.verdict import Outcome, conclude
from activities.sandbox.warden import Warden
from activities.sandbox.warm import WarmSandbox, waiting_job
from activities.sandbox.warm_folders import Unfit, WarmFolders
from activities.sandbox.warm_pool import IDLE_SECONDS, WarmPool
from activities.sandbox.watchdog import disk_use

_WATCHDOG_THREADS = 2

_T = TypeVar("_T")

# What became of a job, and how many folders of its output lay too deep.
Ended = tuple[Outcome, int]

log = structlog.get_logger(__name__)


class Bubblewrap(Sandbox):
    """Runs jobs on this machine.

    When the worker is root, a job runs as another user. Keep inputs, skills, virtual environments
    and output folders in ``work_folder``, readable by all: jobs find it even where it lies behind
    folders that are closed to all others (``view``). ``python`` is the interpreter shown inside, by
    default ``sandbox_python()``. At most ``max_running`` jobs run at once, further ones wait.
    ``egress`` decides where jobs with ``network`` may connect to, ``cgroups`` opens the control
    groups of this worker, if it may have some. At most ``warm`` sandboxes wait for jobs to come,
    and none when none has come for ``idle_seconds``; none is started while so many jobs as run keep
    all processors busy (``are_taken``).
    """

    name: ClassVar[str] = "bubblewrap"
    takes_interpreters: ClassVar[bool] = True

    def __init__(
        self,
        work_folder: Path,
        *,
        python: Path | None = None,
        max_running: int = MAX_RUNNING,
        egress: Egress | None = None,
        cgroups: Callable[[], Cgroups | None] = open_cgroups,
        warm: int = 0,
        idle_seconds: float = IDLE_SECONDS,
        are_taken: Callable[[int], bool] | None = None,
    ) -> None:
        self._work_folder = work_folder
        self._egress = egress or Egress()
        self._python = python
        self._host: Host | None = None
        self._finding: asyncio.Task[Host] | None = None
        self._open_cgroups = cgroups
        self._cgroups: Cgroups | None = None
        self._slots = Slots(max_running, fallback=work_folder / "users")
        self._warm_folder = OwnFolder(work_folder / "warm")
        self._warm = WarmPool(
            self._start_warm, most=warm, idle_seconds=idle_seconds, are_taken=are_taken
        )
        self._table = ProcessTable()
        self._warden = Warden()
        self._watchdogs = ThreadPoolExecutor(_WATCHDOG_THREADS, "sandbox-watchdog")

    @property
    def python(self) -> Path:
        """Raises ``SandboxUnavailable``: there is none that a job can read."""
        return self._python or sandbox_python()

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        validate(job)
        wanted = time.monotonic()
        host = await self._find_host()
        async with self._slots.place:
            started = time.monotonic()
            async with self._warm.place(job) as warm:
                ended = await self._run_warm(warm, host, job, on_output) if warm else None
                outcome, removed = ended or await self._run_cold(host, job, on_output)
        if removed:
            log.warning("sandbox.deep_folders_removed", count=removed)
        duration_ms = round((time.monotonic() - started) * 1000)
        concluded = await conclude(job, outcome, too_deep=removed > 0, duration_ms=duration_ms)
        return replace(
            concluded,
            start_ms=round((outcome.launched_at - wanted) * 1000),
            was_warm=ended is not None,
        )

    async def _run_cold(self, host: Host, job: Job, on_output: OnOutput) -> Ended:
        with self._slots.user() as uid:
            verify_reach(job, uid, host)
            try:
                await _on_folder(job.output, partial(hand_over, job.output, uid))
                outcome = await self._run_as(uid, host, job, on_output)
            finally:
                removed = await uninterrupted(
                    _on_folder(job.output, partial(take_back, job.output))
                )
        return outcome, removed

    async def _run_warm(
        self, warm: WarmSandbox, host: Host, job: Job, on_output: OnOutput
    ) -> Ended | None:
        """None where the job cannot be given to it, or it has died before the job began."""
        verify_reach(job, warm.uid, host)
        try:
            command = bounded(job.command, self._bounds(job, warm.uid))
            inside = warm.give(job, command, self.python)
        except Unfit:
            return None
        try:
            outcome = await self._attend(warm.process, inside, on_output, warm.cgroup)
        finally:
            move = partial(warm.folders.empty_into, job.output)
            removed = await uninterrupted(_on_folder(inside.output, move))
        # Those that wait are the first to go when the machine is out of memory.
        if outcome.stopped_for in (None, Limit.MEMORY) and not warm.has_begun():
            log.info("sandbox.died_waiting", code=outcome.code)
            return None
        return outcome, removed

    async def warm_up(self, limits: Limits) -> None:
        """Have a sandbox wait for the first job with these limits.

        Raises:
            SandboxUnavailable: see ``run``.
        """
        await self._find_host()
        self._warm.fill(limits)

    async def check(self) -> str:
        return await try_sandbox(self._python, self._warden, self._open_cgroups)

    async def close(self) -> None:
        await self._warm.close()
        self._warm_folder.close()
        self._watchdogs.shutdown(wait=False)
        self._slots.close()
        self._egress.close()
        self._warden.close()
        if self._finding is not None:
            await asyncio.wait({self._finding})
        if self._host is not None:
            self._host.close()
            self._host = None
        if self._cgroups is not None:
            self._cgroups.close()
            self._cgroups = None

    async def _find_host(self) -> Host:
        """Found once, for all jobs: that one is cancelled meanwhile takes it from nobody."""
        if self._host is not None:
            return self._host
        if self._finding is None or self._finding.done():
            self._finding = asyncio.create_task(self._prepare())
        return await asyncio.shield(self._finding)

    async def _prepare(self) -> Host:
        """Beside the event loop: what workers have left behind may take seconds to die."""
        with contextlib.ExitStack() as failed:
            host = await asyncio.to_thread(find_host, self._work_folder, self._python)
            failed.callback(host.close)
            self._cgroups = await asyncio.to_thread(self._open_cgroups)
            failed.pop_all()
        self._host = host
        return host

    async def _run_as(self, uid: int | None, host: Host, job: Job, on_output: OnOutput) -> Outcome:
        with host.shown_etc() as etc, group(self._cgroups, job.limits) as cgroup:
            start = partial(start_bwrap, host, uid=uid, warden=self._warden, etc=etc, cgroup=cgroup)
            options = job_arguments(job)
            bounds_of_job = self._bounds(job, uid)
            if not job.network:
                process = Process(start(options, job.command, bounds=bounds_of_job))
                return await self._attend(process, job, on_output, cgroup)
            own_end, sandbox_end = socket.socketpair()
            with own_end:
                with sandbox_end:
                    way_out = sandbox_end.fileno()
                    command = opening_way_out(job.command, way_out)
                    started = start(options, command, bounds=bounds_of_job, inherited_end=way_out)
                    process = Process(started)
                async with self._egress.serving(own_end):
                    return await self._attend(process, job, on_output, cgroup)

    def _start_warm(self, shape: Limits) -> WarmSandbox:
        """Start a sandbox that waits for its job.

        Raises:
            SandboxUnavailable, TemporaryFailure, OSError: it cannot be started now.
        """
        host = self._host
        assert host is not None
        with contextlib.ExitStack() as claims, contextlib.ExitStack() as failed:
            uid = claims.enter_context(self._slots.user())
            cgroup = claims.enter_context(group(self._cgroups, shape))
            etc = claims.enter_context(host.shown_etc())
            folders = WarmFolders.make(self._warm_folder.make(), uid)
            failed.callback(folders.remove)
            line, sandbox_end = socket.socketpair()
            claims.enter_context(line)
            line.setblocking(False)
            with sandbox_end:
                job = waiting_job(self.python, shape, folders, sandbox_end.fileno())
                launched = start_bwrap(
                    host,
                    waiting_arguments(job, folders.inputs, folders.skills),
                    job.command,
                    uid,
                    self._warden,
                    etc=etc,
                    cgroup=cgroup,
                    bounds=self._bounds(job, uid),
                    inherited_end=sandbox_end.fileno(),
                )
            process = Process(launched)
            failed.pop_all()
            kept = claims.pop_all()
            return WarmSandbox(process, folders, line, uid=uid, etc=etc, cgroup=cgroup, claims=kept)

    def _bounds(self, job: Job, uid: int | None) -> Bounds:
        return bounds(job, own_user=uid is not None, is_watched=self._cgroups is None)

    async def _attend(
        self, process: Process, job: Job, on_output: OnOutput, cgroup: Cgroup | None
    ) -> Outcome:
        launched_at = time.monotonic()
        supervision = Supervision(process, job, on_output)
        try:
            await supervision.attend(self._table, self._watchdogs, cgroup)
        finally:
            code = await uninterrupted(process.end())
        process.verify_watched()
        # A job may have ended between two looks, and nobody writes any more.
        left = await _on_folder(job.output, partial(disk_use, job.output, job.limits))
        limit = supervision.limit
        if limit is None and code != 0 and cgroup is not None and cgroup.has_killed():
            limit = Limit.MEMORY
        return Outcome(
            code,
            limit,
            supervision.tail,
            supervision.peak_memory_bytes,
            launched_at,
            no_room=supervision.no_room,
            sandbox_status=process.status,
            told=process.told,
            left_too_much=left if isinstance(left, Limit) else None,
        )


def build(options: SandboxOptions) -> Bubblewrap:
    return Bubblewrap(
        options.work_folder,
        python=sandbox_python(),
        max_running=options.max_running,
        warm=options.warm,
        egress=Egress(options.private_hosts),
    )


async def _on_folder(folder: Path, change: Callable[[], _T]) -> _T:
    """In a thread, unless there is little in the folder: a thread costs more than that."""
    return change() if has_little(folder) else await asyncio.to_thread(change)
