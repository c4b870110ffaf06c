"""When sandboxes are prepared: whether jobs leave a processor anything to spare."""

import os
from pathlib import Path

import pytest

from activities.sandbox.processors import Processors

MANY = max(2, len(os.sched_getaffinity(0)))


class Machine:
    """Says of itself what a test wants to hear. A second is a hundred ticks of one processor."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc
        self.now = 100.0
        self._busy = 0
        self._idle = 1_000
        self.goes_on(0, busy=0, running=1)

    def goes_on(self, seconds: float, *, busy: float, running: int) -> None:
        self.now += seconds
        self._busy += round(100 * seconds * busy)
        self._idle += round(100 * seconds * (1 - busy))
        fields = f"{self._busy} 0 0 {self._idle} 0 0 0 0 0 0"
        (self.proc / "stat").write_text(f"cpu  {fields}\ncpu0 {fields}\nintr 1\n")
        (self.proc / "loadavg").write_text(f"0.20 0.18 0.12 {running}/80 11206\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def processors(machine: Machine) -> Processors:
    return Processors(lambda: machine.now, machine.proc)


def test_none_is_taken_where_jobs_sleep(machine: Machine, processors: Processors) -> None:
    for _ in range(5):
        assert not processors.are_taken(10 * MANY)
        machine.goes_on(0.3, busy=0.2, running=1)


def test_all_are_taken_while_more_threads_want_one(
    machine: Machine, processors: Processors
) -> None:
    machine.goes_on(0.01, busy=1.0, running=MANY + 1)
    assert processors.are_taken(MANY)
    machine.goes_on(0.01, busy=1.0, running=1)
    assert not processors.are_taken(MANY)


def test_all_are_taken_where_they_were_hardly_ever_idle_though_few_threads_run_now(
    machine: Machine, processors: Processors
) -> None:
    processors.are_taken(MANY)
    machine.goes_on(0.3, busy=0.99, running=1)
    assert processors.are_taken(MANY)
    machine.goes_on(0.3, busy=0.5, running=1)
    assert not processors.are_taken(MANY)


def test_a_moment_with_few_jobs_is_no_rest(machine: Machine, processors: Processors) -> None:
    processors.are_taken(MANY)
    machine.goes_on(0.5, busy=1.0, running=1)
    assert processors.are_taken(0)


def test_what_others_do_on_the_machine_keeps_a_single_job_from_nothing(
    machine: Machine, processors: Processors
) -> None:
    processors.are_taken(MANY)
    machine.goes_on(2.0, busy=1.0, running=50)
    assert not processors.are_taken(MANY - 1)


@pytest.mark.parametrize("text", [None, "", "cpu\n", "cpu a b c d e\n"])
def test_a_machine_that_does_not_tell_has_some_to_spare(
    machine: Machine, processors: Processors, text: str | None
) -> None:
    machine.goes_on(1.0, busy=1.0, running=1)
    if text is None:
        (machine.proc / "loadavg").unlink()
    else:
        (machine.proc / "loadavg").write_text(text)
    (machine.proc / "stat").write_text("cpu  0 0 0 1 0 0 0 0 0 0\n")
    assert not processors.are_taken(MANY)
