"""What the exit of a script means for its step."""

from pathlib import Path

import pytest

from activities.attempts.exits import error_of
from activities.disk import Disk, Room
from activities.sandbox.base import Exit, Limit, Limits, NoRoom
from activities.units import MEBIBYTE
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError, DiskFull, without_advice
from workflows.errors.scripts import (
    DiskOutgrown,
    LimitExceeded,
    ScriptFailed,
    ScriptKilled,
    StepTimedOut,
)

LIMITS = Limits(wall_seconds=9)


def step(**more: object) -> Step:
    return Step.model_validate({"id": "s", "skill": "x", **more})


def ended(code: int | None = 0, *, signal: int | None = None, limit: Limit | None = None) -> Exit:
    return Exit(code, signal, limit, duration_ms=1, peak_memory_bytes=None)


def test_exit_code_0_is_no_error() -> None:
    assert error_of(step(), ended(), LIMITS) is None


@pytest.mark.parametrize(
    ("exit_", "kind", "said"),
    [
        (ended(3), ScriptFailed, "exit code 3"),
        (ended(None, signal=9), ScriptKilled, "signal 9"),
        (ended(None, limit=Limit.WALL_TIME), StepTimedOut, "9 s"),
        *(
            (ended(0, limit=limit), LimitExceeded, "limit")
            for limit in Limit
            if limit != "wall_time"
        ),
    ],
)
def test_a_bad_end_says_what_it_was_and_is_final(
    exit_: Exit, kind: type[AgentOSError], said: str
) -> None:
    error = error_of(step(), exit_, LIMITS)
    assert isinstance(error, kind)
    assert said in str(error)
    assert not error.retryable


@pytest.mark.parametrize(
    ("retry_on", "exit_", "again"),
    [
        ((), ended(75), True),
        ((3,), ended(3), True),
        ((3,), ended(4), False),
        (("any",), ended(4), True),
        (("any",), ended(None, signal=11), True),
        (("timeout",), ended(None, limit=Limit.WALL_TIME), True),
        (("timeout",), ended(1), False),
        (("any",), ended(None, limit=Limit.MEMORY), False),
    ],
)
def test_a_failed_script_is_tried_again_where_its_step_asks_for_that(
    retry_on: tuple[object, ...], exit_: Exit, again: bool
) -> None:
    error = error_of(step(retry_on=retry_on), exit_, LIMITS)
    assert error is not None
    assert error.retryable is again


class FullDisk(Disk):
    @property
    def shortage(self) -> DiskFull:
        return DiskFull(service="the worker", reason="2 MiB are free")


FULL = FullDisk(Path("/"), "the worker")


@pytest.mark.parametrize(
    "printed",
    [
        b"OSError: [Errno 28] No space left on device: 'a.csv'\n",
        b"sqlite3.OperationalError: database or disk is full\n",
        b"Error: ENOSPC: no space left on device, write\n",
        b"tar: a: Cannot write: Disk quota exceeded\n",
        b"",
    ],
)
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_script_that_fails_for_want_of_room_is_tried_again_and_its_words_are_kept(
    printed: bytes, stream: str
) -> None:
    error = error_of(step(), ended(1), LIMITS, disk=FULL, **{stream: printed})  # type: ignore[arg-type]
    assert isinstance(error, DiskFull)
    assert error.retryable
    assert printed.decode().strip() in error.account


def test_a_script_with_a_reason_of_its_own_says_it_though_the_disk_is_full() -> None:
    error = error_of(step(), ended(3), LIMITS, disk=FULL, stderr=b"ValueError: no rows\n")
    assert type(error) is ScriptFailed
    assert not error.retryable
    assert "It ended with: ValueError: no rows (While it ran, room was short: 2 MiB are free.)" in (
        error.account
    )


@pytest.mark.parametrize(
    "exit_", [ended(None, limit=Limit.MEMORY), ended(None, limit=Limit.WALL_TIME)]
)
def test_a_limit_is_not_taken_for_a_full_disk(exit_: Exit) -> None:
    error = error_of(step(), exit_, LIMITS, disk=FULL)
    assert isinstance(error, (LimitExceeded, StepTimedOut))


def test_a_job_that_was_stopped_because_the_disk_of_the_worker_is_full_is_tried_again() -> None:
    error = error_of(step(), ended(None, limit=Limit.DISK), LIMITS, disk=FULL)
    assert isinstance(error, DiskFull)
    roomy = error_of(step(), ended(None, limit=Limit.DISK), LIMITS, disk=Disk(Path("/dev"), "x"))
    assert isinstance(roomy, LimitExceeded)


def stopped_with(*, free_mib: int, written_mib: int, by_others_mib: int = 0) -> Exit:
    room = Room(free_mib * MEBIBYTE, kept_bytes=37 * MEBIBYTE)
    at_begin = (free_mib + written_mib + by_others_mib) * MEBIBYTE
    no_room = NoRoom(room, written_mib * MEBIBYTE, free_at_begin_bytes=at_begin)
    return Exit(None, 9, Limit.DISK, duration_ms=1, peak_memory_bytes=None, no_room=no_room)


@pytest.mark.parametrize(("free_mib", "written_mib"), [(0, 0), (30, 3), (36, 60)])
def test_a_job_that_wrote_little_on_a_full_disk_is_not_to_blame(
    free_mib: int, written_mib: int
) -> None:
    error = error_of(step(), stopped_with(free_mib=free_mib, written_mib=written_mib), LIMITS)
    assert isinstance(error, DiskFull)
    assert error.retryable
    assert f"{free_mib} MiB free, and 37 MiB must stay free" in str(error)
    assert f"had written {written_mib} MiB, of 2048 MiB that it may" in str(error)
    assert "exceeded" not in error.account


@pytest.mark.parametrize(("written_mib", "by_others_mib"), [(100, 100), (900, 60), (70, 9_000)])
def test_a_job_that_wrote_much_is_not_to_blame_for_what_others_wrote_meanwhile(
    written_mib: int, by_others_mib: int
) -> None:
    exit_ = stopped_with(free_mib=30, written_mib=written_mib, by_others_mib=by_others_mib)
    assert isinstance(error_of(step(), exit_, LIMITS), DiskFull)


@pytest.mark.parametrize("by_others_mib", [-500, 5])
def test_a_job_that_has_filled_the_disk_is_to_blame_though_others_wrote_a_little_or_made_room(
    by_others_mib: int,
) -> None:
    exit_ = stopped_with(free_mib=36, written_mib=600, by_others_mib=by_others_mib)
    assert isinstance(error_of(step(), exit_, LIMITS), DiskOutgrown)


def test_a_job_that_has_filled_the_disk_itself_fails_and_is_told_both_numbers() -> None:
    error = error_of(step(), stopped_with(free_mib=20, written_mib=900), LIMITS)
    assert isinstance(error, DiskOutgrown)
    assert not error.retryable
    assert "written 900 MiB, of the 2048 MiB that it may write" in str(error)
    assert "20 MiB free" in str(error)


def test_words_about_room_mean_nothing_where_there_is_room() -> None:
    said = b"No space left on device\n"
    error = error_of(step(), ended(1), LIMITS, disk=Disk(Path("/dev"), "x"), stderr=said)
    assert type(error) is ScriptFailed


SETTINGS = {
    "memory": "AGENTOS_SANDBOX_MEMORY_MIB",
    "processes": "AGENTOS_SANDBOX_PROCESSES",
    "printed": "AGENTOS_SANDBOX_PRINTED_MIB",
    "disk": "AGENTOS_SANDBOX_DISK_MIB",
    "files": "AGENTOS_SANDBOX_FILES",
    "file_size": "AGENTOS_SANDBOX_FILE_MIB",
    "cpu_time": "a longer `timeout`",
}


@pytest.mark.parametrize("limit", [each for each in Limit if each != Limit.WALL_TIME])
def test_a_limit_names_what_raises_it(limit: Limit) -> None:
    error = error_of(step(), ended(0, limit=limit), LIMITS)
    assert error is not None
    assert SETTINGS[limit.value] in error.account


@pytest.mark.parametrize(
    ("exit_", "said"),
    [
        (ended(None, signal=9), "ran out of memory"),
        (ended(None, signal=11), "has crashed"),
        (ended(None, signal=31), "does not allow"),
        (ended(127), "not in the sandbox"),
        (ended(126), "no program"),
        (ended(137), "ran out of memory"),
    ],
)
def test_what_a_signal_or_exit_code_mostly_means_is_said(exit_: Exit, said: str) -> None:
    error = error_of(step(), exit_, LIMITS)
    assert error is not None
    assert said in error.account


def test_advice_is_no_part_of_a_fingerprint() -> None:
    error = error_of(step(), ended(0, limit=Limit.MEMORY), LIMITS)
    assert error is not None
    assert without_advice(error.account) == str(error)
    assert without_advice(str(error)) == str(error)


@pytest.mark.parametrize(("said", "stop"), [("No module named 'yaml'", "."), ("Ended.", "")])
def test_what_a_script_said_is_a_sentence_before_advice(said: str, stop: str) -> None:
    error = ScriptFailed(step="a", code=1)
    error.said, error.remedy = said, "declare it."
    assert error.account.endswith(f" It ended with: {said}{stop} What to do: declare it.")
    assert without_advice(error.account) == f"{error} It ended with: {said.removesuffix('.')}"
