"""What the benchmarks read of processes, by the kernel's own account."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.state import RunningPart
from tests.benchmarks.idle import trees, with_rest
from tests.benchmarks.processes import (
    living_processor_seconds,
    processor_seconds,
    proportional_mb,
    tree,
    tree_processor_seconds,
)
from tests.benchmarks.processor import REST, machine_seconds, per_step

WORK_SECONDS = 0.2
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
BUSY = f"import time\nwhile time.process_time() < {WORK_SECONDS}: pass\n"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BUSY!r}], check=True)
below = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(below.pid, flush=True)
input()
"""


@contextmanager
def parent() -> Iterator[tuple[int, int]]:
    """A process that has waited for a busy child, and has another one."""
    command = (sys.executable, "-c", PARENT)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.communicate(b"\n")


def test_a_tree_is_a_process_with_all_below_it() -> None:
    with parent() as (pid, below):
        assert tree(pid) == [pid, below]
        assert {pid, below} <= set(tree(os.getpid()))


def test_a_process_that_is_several_parts_counts_once() -> None:
    with parent() as (pid, below):
        parts = {name: RunningPart(None, pid) for name in ("temporal", "temporal_ui")}
        assert trees(parts) == {"temporal": [pid, below]}


def test_what_children_have_worked_counts_once_they_are_waited_for() -> None:
    with parent() as (pid, _):
        more = tree_processor_seconds(pid) - processor_seconds(pid)
        assert more >= WORK_SECONDS - 2 * TICK_SECONDS


def test_memory_is_shared_out_among_those_that_have_it() -> None:
    with parent() as (pid, _):
        assert 0 < proportional_mb(pid) < 100


def test_a_process_that_has_just_ended_is_left_out() -> None:
    with subprocess.Popen("/bin/true") as ended:
        ended.wait()
    with parent() as (pid, _):
        assert living_processor_seconds([ended.pid, pid]) >= WORK_SECONDS - 2 * TICK_SECONDS
    assert proportional_mb(ended.pid) == 0


def test_a_part_that_has_ended_itself_is_no_figure() -> None:
    with subprocess.Popen("/bin/true") as ended:
        ended.wait()
    with pytest.raises(FileNotFoundError):
        tree_processor_seconds(ended.pid)


def test_up_is_the_first_of_those_that_are_in_no_part_whatever_their_numbers() -> None:
    assert with_rest([900, 7, 5, 6, 901], {"api": [5, 6]}) == {"up": [900, 7, 901], "api": [5, 6]}


def test_the_machines_account_is_of_work_and_not_of_waiting(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 30 9000 800 4 6 700 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert machine_seconds(stat) == pytest.approx((100 + 20 + 30 + 4 + 6) * TICK_SECONDS)


def test_what_a_step_costs_is_the_growth_by_the_number_of_steps() -> None:
    before, after = {"API": 1.0, REST: 10.0}, {"API": 2.5, REST: 40.0}
    assert per_step(before, after, 300) == pytest.approx({"API": 5.0, REST: 100.0})
