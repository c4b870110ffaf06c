"""What processes hold together, when they come and go while one looks."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from activities.sandbox.memory import agreed_bytes, held_bytes
from activities.sandbox.stopping import standing_still
from activities.sandbox.tree import Identity, Member, ProcessTable, read_member

PARENT, FIRST, SECOND = ((pid, 1, 1) for pid in (10, 11, 12))


def test_shares_that_grow_as_others_end_are_not_added_up_over_the_looks() -> None:
    """90 bytes in three processes; the first two end between the readings of one look."""
    looks: list[dict[Identity, int]] = [
        {FIRST: 30, SECOND: 45, PARENT: 90},
        {PARENT: 90},
    ]
    assert agreed_bytes(looks) == 90


def test_a_process_that_lasts_counts_in_full_though_short_ones_share_with_it() -> None:
    looks: list[dict[Identity, int]] = [{PARENT: 50}, {PARENT: 100, FIRST: 0}, {PARENT: 33}]
    assert agreed_bytes(looks) == 100


def test_memory_handed_from_process_to_process_counts() -> None:
    looks: list[dict[Identity, int]] = [{PARENT: 100}, {FIRST: 100}, {SECOND: 100}]
    assert agreed_bytes(looks) == 100


def test_memory_that_a_process_released_by_exec_is_not_counted() -> None:
    before, after = (11, 1, 1), (11, 1, 2)
    looks: list[dict[Identity, int]] = [{PARENT: 100, before: 100}, {PARENT: 100, after: 5}]
    assert agreed_bytes(looks) == 105


def test_a_process_that_has_ended_holds_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert held_bytes(lambda: [_member(ended.pid, resident_bytes=1000)], 10) == 0


def test_a_living_process_holds_its_share() -> None:
    held = held_bytes(lambda: [_member(os.getpid(), resident_bytes=1 << 40)], 10)
    assert 1 << 20 < held < 1 << 40


def test_memory_over_the_limit_for_a_moment_only_is_forgiven() -> None:
    sizes = iter([1 << 40, 1 << 40, 9])
    assert held_bytes(lambda: [_member(os.getpid(), resident_bytes=next(sizes))], 10) == 9


def _member(pid: int, *, resident_bytes: int) -> Member:
    return Member(
        pid=pid,
        folder=f"/proc/{pid}",
        identity=(pid, 1, 1),
        parent=1,
        threads=1,
        cpu_seconds=0,
        resident_bytes=resident_bytes,
    )


HIDING = """
import os, time
os.fork()
held = b'x' * (60 << 20)
print('ready', flush=True)
alive = 0
while True:
    if os.fork() == 0:
        time.sleep(0.03)
        os._exit(0)
    alive += 1
    if alive > 20:
        os.wait()
        alive -= 1
"""


@pytest.fixture
def hiding() -> Iterator[int]:
    """Two processes that hold 60 MiB each, and share it with children that come and go."""
    command = [sys.executable, "-I", "-S", "-c", HIDING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            for _ in range(2):
                process.stdout.readline()
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_memory_shared_with_children_that_come_and_go_counts_though_the_reader_is_slow(
    hiding: int,
) -> None:
    def slowly() -> list[Member]:
        members = ProcessTable().descendants(hiding)
        time.sleep(0.05)  # As on a machine with more to do: the children have ended by now.
        return members

    assert held_bytes(slowly, 100 << 20) > 110 << 20


def test_processes_that_stood_still_go_on_and_those_that_were_stopped_before_do_not(
    hiding: int,
) -> None:
    os.kill(hiding, signal.SIGSTOP)
    _wait_until(lambda: read_member(hiding).state == "T")
    with standing_still(lambda: ProcessTable().descendants(hiding)) as members:
        assert len(members) > 1
        assert all(member.is_still for member in members)
    _wait_until(lambda: any(not m.is_still for m in ProcessTable().descendants(hiding)))
    assert read_member(hiding).state == "T"


def _wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.01)
