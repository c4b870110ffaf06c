"""What processes hold together, when they come and go while one looks."""

import os
import subprocess
import sys

from activities.sandbox.memory import agreed_bytes, held_bytes
from activities.sandbox.tree import Identity, Member

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


def test_what_a_process_gave_up_by_an_exec_is_not_taken_for_what_it_holds() -> None:
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


def test_what_was_over_for_a_moment_only_is_forgotten() -> None:
    sizes = iter([1 << 40, 1 << 40, 9])
    assert held_bytes(lambda: [_member(os.getpid(), resident_bytes=next(sizes))], 10) == 9


def _member(pid: int, *, resident_bytes: int) -> Member:
    return Member(
        pid=pid,
        identity=(pid, 1, 1),
        parent=1,
        threads=1,
        cpu_seconds=0,
        resident_bytes=resident_bytes,
    )
