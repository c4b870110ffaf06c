"""What may not hold up the end of a worker."""

import subprocess
import sys
import time

from deploy import worker_end
from tests.folders import PROJECT

_HELD_UP_SECONDS = 120.0


def seconds_of(statements: str) -> tuple[int, float, str]:
    """How a process ends, after how long, and what it says."""
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import threading, time; from deploy import worker_end\n{statements}",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=2 * _HELD_UP_SECONDS,
        check=False,
    )
    return done.returncode, time.monotonic() - started, done.stdout + done.stderr


def test_a_process_that_a_thread_holds_up_ends_in_time_all_the_same_and_says_so() -> None:
    stuck = f"threading.Thread(target=time.sleep, args=[{_HELD_UP_SECONDS}], name='stuck').start()"
    early = worker_end._FORCED_SECONDS  # so much that it is due at once
    code, seconds, said = seconds_of(f"{stuck}; worker_end.force_end({-early})")
    assert (code, "worker.end_forced" in said, "stuck" in said) == (1, True, True)
    assert seconds < _HELD_UP_SECONDS / 2


def test_a_process_that_ends_by_itself_is_not_held_up_by_its_own_forced_end() -> None:
    code, seconds, said = seconds_of(f"worker_end.force_end({_HELD_UP_SECONDS})")
    assert (code, said) == (0, "")
    assert seconds < _HELD_UP_SECONDS / 2


def test_what_is_done_beside_a_worker_does_not_hold_up_its_end() -> None:
    code, seconds, _ = seconds_of(f"worker_end.beside(lambda: time.sleep({_HELD_UP_SECONDS}))")
    assert code == 0
    assert seconds < _HELD_UP_SECONDS / 2


def test_a_worker_ends_by_itself_before_somebody_kills_it() -> None:
    assert worker_end._FORCED_SECONDS < worker_end.END_SECONDS
