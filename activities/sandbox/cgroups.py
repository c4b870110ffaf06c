"""Control groups: the kernel itself bounds all the memory of a job, also what no process owns.

A worker has a folder of its own in the hierarchy, locked while it lives, and in it a group for each
job that runs at once. Groups are used again: each that is removed leaves its page cache behind in a
nameless one.
"""

import contextlib
import os
import re
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from activities.file_lock import try_lock_folder
from activities.sandbox.base import Limits
from activities.sandbox.hierarchies import Hierarchy, find_hierarchies
from activities.sandbox.tree import read_file, write_file
from activities.units import MEBIBYTE

# The kernel refuses a little after the watchdog notices, so that a job hears a clear reason.
_SPARE_BYTES = 64 * MEBIBYTE
_SPARE_PROCESSES = 16  # Those around the job's, and a few more than the limit of its user.

_PREFIX = "agentos-"
_TRIES = 10
_DEATH_SECONDS = 2.0
_POLL_SECONDS = 0.02

log = structlog.get_logger(__name__)


class Cgroup:
    """A group that one job at a time is in."""

    def __init__(self, folder: Path, version: int) -> None:
        self.joining = folder / "cgroup.procs"
        """Who writes ``0`` to it has joined."""
        self._folder = folder
        self._version = version
        self._limits: Limits | None = None
        self._kills = 0

    def bound(self, limits: Limits) -> None:
        """To be called before a job joins. Raises ``OSError``."""
        if limits != self._limits:
            self._limits = None  # until all are set
            size = str(limits.memory_bytes + _SPARE_BYTES)
            if self._version == 1:
                self._bound_first_version(size)
            else:
                self._write("memory.max", size)
                self._write_if_there("memory.swap.max", "0")
                self._write_if_there("memory.oom.group", "1")
                self._write_if_there("pids.max", str(limits.processes + _SPARE_PROCESSES))
            self._limits = limits
        self._kills = self._count_kills()

    def has_killed(self) -> bool:
        """Whether the kernel has killed a process of this job, because it wanted more memory."""
        return self._count_kills() > self._kills

    def seems_over(self, memory_bytes: int) -> bool:
        """Whether it may be over: if not, ``is_over`` would say the same, and take no longer."""
        return self.has_killed() or self._held_bytes() > memory_bytes

    def is_over(self, memory_bytes: int) -> bool:
        """Whether the job holds more than that, or has tried to hold more than it may at all."""
        if self.has_killed():
            return True
        if self._held_bytes() <= memory_bytes:
            return False
        if self._version == 1:
            # What the kernel would give up by itself, such as names of files, is not told apart.
            self._write_if_there("memory.force_empty", "0")
        return self._held_bytes() > memory_bytes

    def is_empty(self) -> bool:
        return not self._read("cgroup.procs").strip()

    def kill(self) -> None:
        """Kill what is in it, and wait for its end for a moment."""
        deadline = time.monotonic() + _DEATH_SECONDS
        while not self.is_empty() and time.monotonic() < deadline:
            if not self._write_if_there("cgroup.kill", "1"):
                for pid in self._read("cgroup.procs").split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            time.sleep(_POLL_SECONDS)

    def remove(self) -> None:
        """Raises ``OSError`` while a process is in it."""
        self._folder.rmdir()

    def _bound_first_version(self, size: str) -> None:
        # The one with swap must never be the lower one.
        self._write_if_there("memory.memsw.limit_in_bytes", "-1")
        self._write("memory.limit_in_bytes", size)
        self._write_if_there("memory.memsw.limit_in_bytes", size)
        self._write_if_there("memory.kmem.tcp.limit_in_bytes", size)

    def _held_bytes(self) -> int:
        """What the job has and the kernel could not take from it."""
        statistics = self._numbers("memory.stat")
        if self._version == 1:
            kept = ["total_inactive_file", "total_active_file"]
            names = ["memory.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes"]
        else:
            kept = ["inactive_file", "active_file", "slab_reclaimable"]
            names = ["memory.current"]
        used = sum(int(self._read(name) or 0) for name in names)
        return used - sum(statistics.get(name, 0) for name in kept)

    def _count_kills(self) -> int:
        name = "memory.oom_control" if self._version == 1 else "memory.events"
        return self._numbers(name).get("oom_kill", 0)

    def _numbers(self, name: str) -> dict[str, int]:
        found = re.findall(r"^(\w+) (\d+)$", self._read(name), re.MULTILINE)
        return {key: int(number) for key, number in found}

    def _read(self, name: str) -> str:
        try:
            return read_file(f"{self._folder}/{name}").decode()
        except OSError:
            return ""

    def _write(self, name: str, text: str) -> None:
        write_file(f"{self._folder}/{name}", text.encode())

    def _write_if_there(self, name: str, text: str) -> bool:
        with contextlib.suppress(OSError):
            self._write(name, text)
            return True
        return False


class Cgroups:
    """The groups of one worker."""

    def __init__(self, hierarchy: Hierarchy, folder: Path, lock: int) -> None:
        self.version = hierarchy.version
        self._folder = folder
        self._lock = lock
        self._free: list[Cgroup] = []
        self._made = 0

    @contextlib.contextmanager
    def group(self, limits: Limits) -> Iterator[Cgroup]:
        """A group with these limits, for one job.

        Raises:
            OSError: the kernel does not let us have it any more.
        """
        group = self._free.pop() if self._free else self._make()
        try:
            group.bound(limits)
            yield group
        finally:
            if group.is_empty():
                self._free.append(group)
            else:
                log.warning("sandbox.cgroup_not_empty", path=str(self._folder))

    def close(self) -> None:
        """When no job is left. What cannot be removed is swept by the next worker."""
        _remove(self._folder, self.version)
        os.close(self._lock)

    def _make(self) -> Cgroup:
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        return Cgroup(folder, self.version)


def open_cgroups(process: Path = Path("/proc/self")) -> Cgroups | None:
    """Groups where this machine lets us have some, and sweep those of workers that are gone."""
    for hierarchy in find_hierarchies(process):
        with contextlib.suppress(OSError):
            hierarchy.prepare()
            _sweep(hierarchy)
            opened = _open(hierarchy)
            try:
                with opened.group(Limits()):
                    return opened
            except OSError:
                opened.close()
    return None


def _open(hierarchy: Hierarchy) -> Cgroups:
    for _ in range(_TRIES):
        folder = hierarchy.parent / f"{_PREFIX}{secrets.token_hex(8)}"
        folder.mkdir()
        # Another worker that starts now may take it for one that was left behind.
        lock = try_lock_folder(folder)
        if lock is not None:
            hierarchy.pass_on(folder)
            return Cgroups(hierarchy, folder, lock)
    raise OSError(f"{hierarchy.parent} is swept all the time")


def _sweep(hierarchy: Hierarchy) -> None:
    for folder in hierarchy.parent.glob(f"{_PREFIX}*"):
        if (lock := try_lock_folder(folder)) is not None:
            _remove(folder, hierarchy.version)
            os.close(lock)


def _remove(folder: Path, version: int) -> None:
    with contextlib.suppress(OSError):
        for inner in [path for path in folder.iterdir() if path.is_dir()]:
            group = Cgroup(inner, version)
            group.kill()
            with contextlib.suppress(OSError):
                group.remove()
        folder.rmdir()
