"""What the processes of a job use, read from /proc of the host."""

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
BLOCK_BYTES = 512  # the unit of st_blocks, see inode(7)
_HIGHEST_OUT_OF_MEMORY_SCORE = b"1000"

# A pid, the tick it started at, and where its stack is: new after each exec, which gives up all
# the memory that a process had.
Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A process. ``cpu_seconds`` holds that of the children it has waited for, ``state`` is the
    letter that proc(5) has for it, ``folder`` is where more is said of it. It is called ``pid``
    there, which is another number in a sandbox's own /proc than in that of the host. Where
    ``is_headless``, its first thread has ended and others live: the folder is that of one of those,
    since its own tells no more what it holds."""

    pid: int
    folder: str
    identity: Identity
    parent: int
    threads: int
    cpu_seconds: float
    resident_bytes: int
    state: str = "R"
    virtual_bytes: int = 0
    is_headless: bool = False

    @property
    def is_still(self) -> bool:
        """Whether it was stopped, or has ended: it starts no process and takes no memory."""
        return self.state in "Tt" or (self.state in "ZX" and not self.is_headless)

    def is_same_process(self, other: "Member") -> bool:
        """Whether both have the same pid and start; one may have been looked at after an exec."""
        return self.identity[:2] == other.identity[:2]


class ProcessTable:
    """All processes of the machine. However many jobs ask, they are read once in a while only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._members: dict[int, Member] = {}

    def descendants(self, root: int, *, max_age_seconds: float = 0.05) -> list[Member]:
        """A process and all below it. Process 1 of a pid namespace adopts every orphan in there,
        so below it nothing can hide."""
        with self._lock:
            if time.monotonic() - self._read_at >= max_age_seconds:
                self._members = {member.pid: member for member in _read(_pids("/proc"), "/proc")}
                self._read_at = time.monotonic()
            members = self._members
        children: dict[int, list[Member]] = {}
        for member in members.values():
            children.setdefault(member.parent, []).append(member)
        found = [members[root]] if root in members else []
        for member in found:
            found += children.get(member.pid, ())
        return found


def inside(root: int, *, most: int | None = None) -> list[Member] | None:
    """All processes of the sandbox whose process 1 is ``root``, with those that have ended and were
    not waited for, by the sandbox's own /proc: it lists no others, of which the host may have
    hundreds. None where it does not show them, and the host's table is to be asked: it is not there
    yet, or may not be seen, or is out of reach because the first thread of process 1 has ended.
    None, and none of them is read, where there are more than ``most``.

    No call puts another /proc there, or makes a pid namespace within the sandbox's own: ``seccomp``
    denies them all, also to process 1. But the job may write into the memory of that one, and have
    it do whatever it could do itself.
    """
    folder = f"/proc/{root}/root/proc"
    try:
        if os.stat(folder).st_dev == os.stat("/proc").st_dev:  # noqa: PTH116
            return None  # bwrap is still in the host's folders.
        pids = _pids(folder)
    except OSError:
        return None
    if 1 not in pids or (most is not None and len(pids) > most):
        return None
    return [*_read(pids, folder)]


def offer_to_out_of_memory_killer(folder: str) -> None:
    """Have the process whose folder in /proc this is, and those that it starts, killed before all
    others when the host runs out of memory."""
    with contextlib.suppress(OSError):
        write_file(f"{folder}/oom_score_adj", _HIGHEST_OUT_OF_MEMORY_SCORE)


def mounted_usage(pid: int, folder: str) -> tuple[int, int]:
    """Bytes and files in a file system of the sandbox; zero where it may not be looked into.

    A sandbox that is still being set up shows the host's folder, whose use is not the job's.
    """
    inside = f"/proc/{pid}/root{folder}"
    try:
        if Path(inside).stat().st_dev == Path(folder).stat().st_dev:
            return 0, 0
        usage = os.statvfs(inside)
    except OSError:
        return 0, 0
    files = usage.f_files - usage.f_ffree - 1  # its own top folder is no file of the job's
    return (usage.f_blocks - usage.f_bfree) * usage.f_frsize, files


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """``unlinked_bytes`` is the disk space of files that have no name, which no walk would find;
    ``pipes`` the number of pipes."""

    unlinked_bytes: int
    pipes: int


def open_files(members: Iterable[Member]) -> OpenFiles:
    """What processes have open, each counted once; nothing where we may not look."""
    sizes: dict[tuple[int, int], int] = {}
    pipes: set[tuple[int, int]] = set()
    for member in members:
        for status in _open_files(member.folder):
            if stat.S_ISFIFO(status.st_mode):
                pipes.add((status.st_dev, status.st_ino))
            elif stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                sizes[status.st_dev, status.st_ino] = status.st_blocks * BLOCK_BYTES
    return OpenFiles(sum(sizes.values()), len(pipes))


def have_more_open(members: Iterable[Member], most: int) -> bool:
    """Whether they have more descriptors than that; told without a look at any of them."""
    return sum(_count_open(f"{member.folder}/fd") for member in members) > most


def _count_open(folder: str) -> int:
    with contextlib.suppress(OSError):
        # The size is their number since Linux 6.2, and zero before.
        return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208
    return 0


def _open_files(process: str) -> Iterator[os.stat_result]:
    folder = f"{process}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with contextlib.suppress(OSError):
                yield os.stat(f"{folder}/{name}")  # noqa: PTH116


def _pids(proc: str) -> list[int]:
    # Paths cost three times as much.
    return [int(name) for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208


def _read(pids: Iterable[int], proc: str) -> Iterator[Member]:
    for pid in pids:
        with contextlib.suppress(OSError):
            yield read_member(pid, proc)


def read_member(pid: int, proc: str = "/proc") -> Member:
    """One process. Raises ``OSError`` when it has ended."""
    folder = f"{proc}/{pid}"
    member = _parse(pid, folder, read_file(f"{folder}/stat"))
    if member.state == "Z" and member.threads > 1:
        return _with_thread(replace(member, is_headless=True))
    return member


def _with_thread(member: Member) -> Member:
    """A headless process, with what the first of its threads that still lives says of all. A thread
    may end before it is read: it may be asked again where the process stands still."""
    with contextlib.suppress(OSError):
        for name in os.listdir(f"{member.folder}/task"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                folder = f"{member.folder}/task/{name}"
                thread = _parse(member.pid, folder, read_file(f"{folder}/stat"))
                if thread.state not in "ZX":
                    return replace(
                        member,
                        folder=folder,
                        identity=(*member.identity[:2], thread.identity[2]),
                        state=thread.state,
                        resident_bytes=thread.resident_bytes,
                        virtual_bytes=thread.virtual_bytes,
                    )
    return member


def _parse(pid: int, folder: str, line: bytes) -> Member:
    """Fields as numbered in proc(5); the second, a name, may itself hold spaces and brackets."""
    fields = line.rpartition(b")")[2].split()
    return Member(
        pid=pid,
        folder=folder,
        identity=(pid, int(fields[22 - 3]), int(fields[28 - 3])),
        parent=int(fields[4 - 3]),
        threads=int(fields[20 - 3]),
        cpu_seconds=sum(map(int, fields[14 - 3 : 18 - 3])) / _TICKS_PER_SECOND,
        resident_bytes=int(fields[24 - 3]) * _PAGE_BYTES,
        state=fields[0].decode(),
        virtual_bytes=int(fields[23 - 3]),
    )


def read_file(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 64 * 1024)
    finally:
        os.close(descriptor)


def write_file(path: str, content: bytes) -> None:
    """To one that is there: where it is not, the kernel has no such setting."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
