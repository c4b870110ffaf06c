"""How the watchdog keeps off the event loop where a job is not a small one."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from activities.sandbox.base import Limit, Limits
from activities.sandbox.cgroups import Cgroup
from activities.sandbox.tree import ProcessTable
from activities.sandbox.watchdog import TakesLonger, Watchdog
from tests.unit.activities.sandbox.test_tree import namespace


@pytest.fixture(params=["many processes", "many descriptors"])
def large(request: pytest.FixtureRequest) -> Iterator[int]:
    """Process 1 of a job that is no small one."""
    with namespace(_LARGE[request.param]) as root:
        yield root


_LARGE = {
    "many processes": "for n in 1 2 3 4 5 6; do sleep 60 & done; echo ready; wait",
    "many descriptors": (
        "exec python3 -c 'import os, time; held = [os.pipe() for _ in range(50)]\n"
        'print("ready", flush=True); time.sleep(60)\''
    ),
}


def test_a_large_job_is_not_looked_at_briefly(large: int, tmp_path: Path) -> None:
    dog = Watchdog(large, tmp_path, Limits(), ProcessTable(), free_at_begin_bytes=1 << 40)
    with pytest.raises(TakesLonger):
        dog.look(briefly=True)
    assert dog.look() is None


def test_a_small_job_is_looked_at_briefly(tmp_path: Path) -> None:
    with namespace("echo ready; exec sleep 60") as root:
        dog = Watchdog(root, tmp_path, Limits(), ProcessTable(), free_at_begin_bytes=1 << 40)
        assert dog.look(briefly=True) is None


@dataclass
class _Lazy(Watchdog):
    """Takes its time for each look, or more than that where ``is_too_long``; the last of ``most``
    finds a limit. ``looks`` tells when each was, and whether on the event loop."""

    most: int = 1
    is_too_long: bool = False
    looks: list[tuple[float, bool]] = field(default_factory=list)

    def look(self, *, briefly: bool = False) -> Limit | None:
        is_on_loop = threading.current_thread() is threading.main_thread()
        assert is_on_loop == briefly
        self.looks.append((time.monotonic(), is_on_loop))
        if briefly and self.is_too_long:
            time.sleep(0.2)  # After which a pause would be a second.
            raise TakesLonger
        time.sleep(0.005)
        return Limit.DISK if len(self.looks) == self.most else None


async def _watched(folder: Path, *, most: int, is_too_long: bool = False) -> _Lazy:
    dog = _Lazy(
        *(1, folder, Limits(), ProcessTable(), 1 << 40, Cgroup(folder, 2)),
        most=most,
        is_too_long=is_too_long,
    )
    with ThreadPoolExecutor(1) as executor:
        assert await dog.watch(executor) is Limit.DISK
    return dog


async def test_after_a_look_that_held_up_the_loop_threads_look_for_two_seconds(
    tmp_path: Path,
) -> None:
    dog = await _watched(tmp_path, most=30)
    on_loop = [at for at, is_on_loop in dog.looks if is_on_loop]
    assert dog.looks[0] == (on_loop[0], True)
    assert len(on_loop) > 1
    assert all(later - at > 2 for at, later in pairwise(on_loop))


async def test_a_thread_looks_at_once_at_what_takes_longer(tmp_path: Path) -> None:
    dog = await _watched(tmp_path, most=2, is_too_long=True)
    assert [is_on_loop for _, is_on_loop in dog.looks] == [True, False]
    assert dog.looks[1][0] - dog.looks[0][0] < 0.9
