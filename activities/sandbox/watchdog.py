"""Adds up what all processes of a job use, which no limit of a single process bounds."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from activities.disk import room_on
from activities.sandbox.base import Limit, Limits, NoRoom
from activities.sandbox.cgroups import Cgroup
from activities.sandbox.folders import MAX_DEPTH, has_little, walk
from activities.sandbox.kernel_memory import kernel_bytes
from activities.sandbox.memory import held_bytes
from activities.sandbox.stopping import standing_still
from activities.sandbox.tree import (
    BLOCK_BYTES,
    Member,
    ProcessTable,
    have_more_open,
    inside,
    mounted_usage,
    offer_to_out_of_memory_killer,
    open_files,
    read_member,
)

# A job shorter than this is never looked at, and pays nothing.
_FIRST_LOOK_SECONDS = 0.05
_INTERVAL_SECONDS = 0.1
# Looking may take a tenth of the time (but a look a second there is): a job with many files slows
# down its own watchdog.
_INTERVALS_PER_COST = 10
_LONGEST_INTERVAL_SECONDS = 1.0

_TEMPORARY_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108

# A job with no more than this is looked at on the event loop, in half a millisecond. In a thread of
# a busy worker that takes five times as much processor time: it waits for the interpreter at each
# call of the system.
_FEW_PROCESSES = 4
_FEW_OPEN = 64
# After a look on the event loop that came to nothing or took longer than that, threads look for a
# while: what a job does must not hold up others.
_BRIEF_SECONDS = 0.002
_SECONDS_IN_THREADS = 2.0


class TakesLonger(Exception):
    """It is to be looked at in a thread."""


@dataclass(slots=True)
class Watchdog:
    """Watches one job.

    ``root`` is the pid of its process 1, as the host sees it. ``peak_memory_bytes`` is the most
    that all its processes had together at any look. ``no_room`` is set where the disk ran full
    before the job had written as much as it may: others write, too, and some of what a job writes
    hides from the walk, such as descriptors in a queue and files that are mapped only.
    ``free_at_begin_bytes`` was free on the disk of ``output`` when the job began. ``cgroup`` knows
    what the job holds in the kernel; without one it is estimated.
    """

    root: int
    output: Path
    limits: Limits
    table: ProcessTable
    free_at_begin_bytes: int
    cgroup: Cgroup | None = None
    peak_memory_bytes: int = 0
    no_room: NoRoom | None = None
    _offered: bool = False
    _in_threads_until: float = 0.0

    async def watch(self, executor: Executor) -> Limit:
        """Look from time to time until a limit is reached; cancelled when the job ends first."""
        await asyncio.sleep(_FIRST_LOOK_SECONDS)
        while True:
            started = time.monotonic()
            limit = await self._look(executor)
            if limit:
                return limit
            cost = time.monotonic() - started
            pause = max(_INTERVAL_SECONDS, cost * _INTERVALS_PER_COST)
            await asyncio.sleep(min(pause, _LONGEST_INTERVAL_SECONDS))

    async def _look(self, executor: Executor) -> Limit | None:
        if self.cgroup is not None and time.monotonic() >= self._in_threads_until:
            with contextlib.suppress(TakesLonger):
                return self._look_briefly()
        return await asyncio.get_running_loop().run_in_executor(executor, self.look)

    def _look_briefly(self) -> Limit | None:
        """On the event loop. Raises ``TakesLonger``."""
        started = time.monotonic()
        is_brief = False
        try:
            if not has_little(self.output):
                raise TakesLonger
            limit = self.look(briefly=True)
            is_brief = time.monotonic() - started <= _BRIEF_SECONDS
            return limit
        finally:
            if not is_brief:
                self._in_threads_until = time.monotonic() + _SECONDS_IN_THREADS

    def look(self, *, briefly: bool = False) -> Limit | None:
        """The limit that the job is over now, if any. Blocks for some milliseconds.

        Raises:
            TakesLonger: that cannot be told ``briefly``.
        """
        members = self._members(briefly=briefly)
        if _has_headless_root(self.root):
            return Limit.PROCESSES
        if not any(member.is_headless for member in members):
            return self._judge(members, briefly=briefly)
        if briefly:
            raise TakesLonger
        # Its threads might hand on to new ones faster than they are read.
        with standing_still(self._list_afresh) as still:
            return self._judge(still, briefly=False)

    def _judge(self, members: Sequence[Member], *, briefly: bool) -> Limit | None:
        temporary = [mounted_usage(self.root, folder) for folder in _TEMPORARY_FOLDERS]
        opened = open_files(members)
        # The job has it, and no process of it does.
        unowned_bytes = sum(size for size, _ in temporary)
        if self.cgroup is None:
            unowned_bytes += kernel_bytes(self.root, members, opened.pipes)
        if self._is_over_memory(members, unowned_bytes, briefly=briefly):
            return Limit.MEMORY
        # Process 1 is bwrap, not the job's.
        if sum(member.threads for member in members) - 1 > self.limits.processes:
            return Limit.PROCESSES
        if sum(member.cpu_seconds for member in members) > self.limits.cpu_seconds:
            return Limit.CPU_TIME
        files = sum(count for _, count in temporary)
        return self._look_at_disk(files, opened.unlinked_bytes)

    def _members(self, *, briefly: bool) -> Sequence[Member]:
        members = inside(self.root, most=_FEW_PROCESSES if briefly else None)
        if briefly and (members is None or have_more_open(members, _FEW_OPEN)):
            raise TakesLonger
        if members is None:
            members = self.table.descendants(self.root)
        if not self._offered and members:
            self._offered = True
            for member in members:
                offer_to_out_of_memory_killer(member.folder)
        return members

    def _is_over_memory(
        self, members: Sequence[Member], unowned_bytes: int, *, briefly: bool
    ) -> bool:
        allowed = self.limits.memory_bytes
        resident = sum(member.resident_bytes for member in members) + unowned_bytes
        seems_over = self.cgroup is not None and self.cgroup.seems_over(allowed)
        if briefly and (seems_over or resident > allowed):
            raise TakesLonger
        if seems_over and self.cgroup is not None and self.cgroup.is_over(allowed):
            return True
        if resident > allowed:
            resident = held_bytes(self._list_afresh, allowed - unowned_bytes) + unowned_bytes
        self.peak_memory_bytes = max(self.peak_memory_bytes, resident)
        return resident > allowed

    def _look_at_disk(self, files: int, unlinked_bytes: int) -> Limit | None:
        """``files`` and ``unlinked_bytes`` are elsewhere than in the folder."""
        written = disk_use(self.output, self.limits, files=files, size=unlinked_bytes)
        if isinstance(written, Limit):
            return written
        room = room_on(self.output)
        if not room.is_short:
            return None
        self.no_room = NoRoom(room, written, self.free_at_begin_bytes)
        return Limit.DISK

    def _list_afresh(self) -> list[Member]:
        """As the host calls them: some may have to be stopped."""
        return self.table.descendants(self.root, max_age_seconds=0)


def _has_headless_root(root: int) -> bool:
    """Whether the first thread of process 1 has ended, and others live. The sandbox's folders and
    sockets are out of sight then. bwrap has one thread: the job has written into its memory."""
    with contextlib.suppress(OSError):
        return read_member(root).is_headless
    return False


def disk_use(output: Path, limits: Limits, *, files: int = 0, size: int = 0) -> Limit | int:
    """How many bytes a folder takes, or the limit on files or disk space that it is over.

    ``files`` and ``size`` come on top of what the folder holds.
    """
    if files > limits.files:
        return Limit.FILES
    if size > limits.disk_bytes:  # The folder may be empty.
        return Limit.DISK
    seen: set[int] = set()
    for entry in walk(output, insist=True):
        files += 1
        if files > limits.files or (entry.is_folder and entry.depth == MAX_DEPTH):
            return Limit.FILES
        if entry.status.st_nlink > 1 and not entry.is_folder:
            if entry.status.st_ino in seen:
                continue
            seen.add(entry.status.st_ino)
        size += entry.status.st_blocks * BLOCK_BYTES
        if size > limits.disk_bytes:
            return Limit.DISK
    return size
