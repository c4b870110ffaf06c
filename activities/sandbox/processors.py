"""Whether this machine has a processor to spare, or the jobs of this worker keep them all busy."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from activities.sandbox.tree import read_file

# What is done ahead takes a processor from what runs when so many jobs do; two are few anywhere.
_FEW_JOBS = 2
# Where many come, there are moments with few of them.
_REMEMBERED_SECONDS = 1.0
# Processors count their time in hundredths of a second.
_WINDOW_SECONDS = 0.25
_RARELY_IDLE = 0.1
_IDLE_FIELDS = slice(3, 5)  # idle and iowait, see proc(5), stat


class Processors:
    """To be asked whenever something could be done ahead. Jobs may as well sleep, so they are not
    only counted: the machine says how many threads want a processor now, and how much of the time
    since a moment ago the processors had nothing to do. Each alone is not enough: where jobs are
    short, few threads may run at the moment of a look, and all processors be busy before and
    after."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, proc: Path = Path("/proc")
    ) -> None:
        self._clock = clock
        self._proc = proc
        self._many_at = float("-inf")
        self._measured_at = float("-inf")
        self._measured = (0, 0)
        self._idle = 1.0

    def are_taken(self, jobs: int) -> bool:
        """Whether jobs keep all processors busy, of which so many run now. False where the machine
        does not tell."""
        processors = len(os.sched_getaffinity(0))
        now = self._clock()
        if jobs >= max(_FEW_JOBS, processors):
            self._many_at = now
        try:
            is_rarely_idle = self._idle_share(now) < _RARELY_IDLE
            is_crowded = is_rarely_idle or self._running() > processors
        except (OSError, IndexError, ValueError):
            return False
        return is_crowded and now - self._many_at <= _REMEMBERED_SECONDS

    def _running(self) -> int:
        running, _, _ = read_file(f"{self._proc}/loadavg").split()[3].partition(b"/")
        return int(running)

    def _idle_share(self, now: float) -> float:
        if now - self._measured_at >= _WINDOW_SECONDS:
            before, self._measured = self._measured, self._times()
            idle, total = (new - old for new, old in zip(self._measured, before, strict=True))
            self._idle = idle / max(total, 1)
            self._measured_at = now
        return self._idle

    def _times(self) -> tuple[int, int]:
        """How long all processors together had nothing to do, and how long there were any."""
        line, _, _ = read_file(f"{self._proc}/stat").partition(b"\n")
        times = [int(field) for field in line.split()[1:9]]  # Those of guests are in them.
        return sum(times[_IDLE_FIELDS]), sum(times)
