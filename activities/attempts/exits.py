"""What the exit of a script means for its step: an error that says why, or none."""

from activities.attempts.diagnosis import failure_of, lacked_room
from activities.attempts.remedies import remedy_of_limit, remedy_of_signal
from activities.attempts.scripts import Script
from activities.disk import Disk
from activities.sandbox.base import Exit, Limit, Limits, NoRoom
from activities.units import MEBIBYTE
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError, DiskFull
from workflows.errors.scripts import (
    DiskOutgrown,
    LimitExceeded,
    ScriptFailed,
    ScriptKilled,
    StepTimedOut,
)

# sysexits.h: EX_TEMPFAIL. The script itself asks for a retry.
EXIT_TEMPORARY_FAILURE = 75

# With less room than this when a script began, the disk was as good as full before it.
_ROOM_BYTES = 64 * MEBIBYTE

# Of the room that there was, others may have taken so much from a script that has filled the disk.
_OF_OTHERS_BYTES = 16 * MEBIBYTE


def error_of(
    step: Step,
    exit: Exit,  # noqa: A002
    limits: Limits,
    script: Script | None = None,
    *,
    stdout: bytes | bytearray = b"",
    stderr: bytes | bytearray = b"",
    disk: Disk | None = None,
) -> AgentOSError | None:
    """What an exit means for the step; None when all went well.

    Exit code 75 is retried, and so is what the step's ``retry_on`` names, and a failure for want of
    room on the ``disk`` on which the script worked.
    """
    error: AgentOSError
    again = "any" in step.retry_on
    if exit.limit is Limit.WALL_TIME:
        return timed_out(step, limits.wall_seconds)
    if exit.no_room is not None:
        return _without_room(step, exit.no_room, limits)
    if exit.limit is Limit.DISK and disk is not None and (shortage := disk.shortage):
        return shortage  # Who knows whether the script is to blame? With room, it will be seen.
    if exit.limit is not None:
        error = LimitExceeded(
            step=step.id, limit=exit.limit.value.replace("_", " "), bound=_bound(exit.limit, limits)
        )
        error.remedy = remedy_of_limit(exit.limit)
        again = False  # It would only run into it again.
    elif exit.code is None:
        error = ScriptKilled(step=step.id, signal=exit.signal)
        error.remedy = remedy_of_signal(exit.signal)
    elif exit.code != 0:
        error = failure_of(step.id, exit.code, script, stdout=stdout, stderr=stderr)
        if (full := _for_want_of_room(error, disk, stdout, stderr)) is not None:
            return full
        again = again or exit.code == EXIT_TEMPORARY_FAILURE or exit.code in step.retry_on
    else:
        return None
    error.retryable = again
    return error


def _without_room(step: Step, found: NoRoom, limits: Limits) -> AgentOSError:
    """A script that was stopped on a full disk has filled it itself where there was room when it
    began, and it took that up alone. Any other one can run once somebody makes room."""
    room, written = found.room, found.written_bytes
    written_mib, allowed_mib = written // MEBIBYTE, limits.disk_bytes // MEBIBYTE
    room_at_begin = found.free_at_begin_bytes - room.kept_bytes
    if _ROOM_BYTES <= room_at_begin <= written + _OF_OTHERS_BYTES:
        return DiskOutgrown(
            step=step.id, written_mib=written_mib, allowed_mib=allowed_mib, room=room
        )
    wrote = f"the script had written {written_mib} MiB, of {allowed_mib} MiB that it may"
    return DiskFull(service="the worker", reason=f"it has {room}; {wrote}")


def _for_want_of_room(
    error: ScriptFailed,
    disk: Disk | None,
    stdout: bytes | bytearray,
    stderr: bytes | bytearray,
) -> AgentOSError | None:
    """That a script failed because its disk is full; None when it had another reason, or may have
    had one. It is told all the same that there is no room."""
    shortage = disk.shortage if disk is not None and type(error) is ScriptFailed else None
    if shortage is None:
        return None
    if error.said and not lacked_room(stdout, stderr):
        error.said = f"{error.said} (While it ran, room was short: {shortage.fields['reason']}.)"
        return None
    shortage.said = error.said
    return shortage


def timed_out(step: Step, seconds: float) -> StepTimedOut:
    error = StepTimedOut(step=step.id, seconds=seconds)
    error.retryable = not {"any", "timeout"}.isdisjoint(step.retry_on)
    return error


def _bound(limit: Limit, limits: Limits) -> str:
    return {
        Limit.WALL_TIME: f"{limits.wall_seconds:g} s",
        Limit.CPU_TIME: f"{limits.cpu_seconds} s",
        Limit.MEMORY: f"{limits.memory_bytes // MEBIBYTE} MiB",
        Limit.PROCESSES: f"{limits.processes} processes",
        Limit.PRINTED: f"{limits.printed_bytes // MEBIBYTE} MiB printed",
        Limit.DISK: f"{limits.disk_bytes // MEBIBYTE} MiB in the output folder",
        Limit.FILES: f"{limits.files} files",
        Limit.FILE_SIZE: f"{limits.file_bytes // MEBIBYTE} MiB in one file",
    }[limit]
