"""How the watchdog keeps off the event loop where a job is not a small one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.sandbox.base import Limits
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
