"""How a job ended: its exit, and the limit that it exceeded, if that made it fail."""

import asyncio
import errno
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import structlog

from activities.sandbox.base import Exit, Job, Limit, NoRoom
from activities.sandbox.folders import walk
from activities.sandbox.profile import largest_file_bytes
from activities.sandbox.unavailable import KILLED, explain

# By the bounds of a job, which nothing else around it has: bwrap, which rarely fails to tell of an
# end, then gives the exit code of the job as its own.
_OWN_ENDS = (128 + signal.SIGXCPU, 128 + signal.SIGXFSZ)

# The longest part of a name of a command that is looked for in what bwrap says of it.
_SHOWN_BYTES = 1024
_NO_PROGRAM = os.strerror(errno.ENOENT).encode()

# What is printed where the kernel refuses memory, a process or disk space: it leaves no other
# trace. A job that prints this without need only mislabels its own failure.
_NO_MEMORY = re.compile(rb"MemoryError|Cannot allocate memory|bad_alloc|heap out of memory")
_NO_PROCESS = re.compile(rb"Resource temporarily unavailable|can't start new thread")
_NO_LARGER_FILE = re.compile(rb"File too large")
_NO_SPACE = re.compile(rb"No space left on device")


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen of a job.

    ``code`` is None when it never began or nobody was left to tell, ``stopped_for`` the limit it
    was killed for, ``tail`` the end of its stderr, ``peak_memory_bytes`` what its processes had
    together, if it was looked at, ``launched_at`` when its process was there, by the monotonic
    clock, ``no_room`` what the disk lacked when it was stopped for that, ``sandbox_status`` how
    bwrap itself ended: its exit code, or that of its signal below zero, ``told`` what it told of
    itself, ``left_too_much`` the limit that what it has left behind is over.
    """

    code: int | None
    stopped_for: Limit | None
    tail: bytes
    peak_memory_bytes: int | None
    launched_at: float = 0.0
    no_room: NoRoom | None = None
    sandbox_status: int = 0
    told: bytes = b""
    left_too_much: Limit | None = None


async def conclude(job: Job, outcome: Outcome, *, too_deep: bool, duration_ms: int) -> Exit:
    """Tell how the job ended.

    Raises:
        SandboxKilled: something else on the machine has ended it.
        SandboxUnavailable: it never began, for a reason that bwrap gave.
        TemporaryFailure: it never began, or nobody knows how it ended.
    """
    code = outcome.code
    if code is None and outcome.sandbox_status in _OWN_ENDS:
        code = outcome.sandbox_status
    if code is None and outcome.sandbox_status == 1:
        code = _code_without_program(job, outcome.tail)
    limit = outcome.stopped_for or (Limit.FILES if too_deep else None)
    killed_by = signal.SIGKILL if outcome.stopped_for else None
    if code is None and limit is None:
        told = outcome.told.decode(errors="replace")
        log.warning("sandbox.end_not_told", status=outcome.sandbox_status, told=told)
        raise explain(outcome.tail.decode(errors="replace"), outcome.sandbox_status)
    if code and limit is None:
        limit = await asyncio.to_thread(_limit_behind, job, code, outcome)
    limit = limit or outcome.left_too_much
    if code is not None and code in KILLED:
        killed_by = signal.Signals(code - 128)
    return Exit(
        code=None if killed_by else code,
        signal=killed_by,
        limit=limit,
        duration_ms=duration_ms,
        peak_memory_bytes=outcome.peak_memory_bytes,
        no_room=outcome.no_room,
    )


def _code_without_program(job: Job, tail: bytes) -> int | None:
    """As a shell has it: 127 where there is no such program, 126 where it is none. bwrap says why,
    and nothing of an exit code; None where it says nothing of the job's command."""
    begun = b"bwrap: execvp " + os.fsencode(job.command[0]) + b": "
    _, found, reason = tail.rpartition(begun[-_SHOWN_BYTES:])
    if not found:
        return None
    return 127 if reason.strip() == _NO_PROGRAM else 126


def _limit_behind(job: Job, code: int, outcome: Outcome) -> Limit | None:
    """The limit that a job most likely failed for; None when it failed for its own reasons."""
    if code == 128 + signal.SIGXCPU:
        return Limit.CPU_TIME
    if code == 128 + signal.SIGXFSZ or _NO_LARGER_FILE.search(outcome.tail):
        return Limit.FILE_SIZE
    if _holds_file_of(job.output, largest_file_bytes(job.limits)):
        return Limit.FILE_SIZE
    if _NO_MEMORY.search(outcome.tail):
        return Limit.MEMORY
    if _NO_PROCESS.search(outcome.tail):
        return Limit.PROCESSES
    return Limit.DISK if _NO_SPACE.search(outcome.tail) else None


def _holds_file_of(folder: Path, size: int) -> bool:
    return any(entry.is_file and entry.status.st_size == size for entry in walk(folder))
