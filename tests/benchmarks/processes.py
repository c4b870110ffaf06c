"""What processes use, by the kernel's own account."""

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.report import console
from tests.benchmarks.stage import Stage

_MEBIBYTE_KIB = 1024
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_ENDED = (FileNotFoundError, ProcessLookupError)  # What /proc has to say of such a process.


def resident_mib(pid: int) -> float:
    """What a process holds in memory now (VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / _MEBIBYTE_KIB


def proportional_mb(pid: int) -> float:
    """What a process holds in memory now, of shared pages its part (PSS). 0 if it has ended."""
    rollup = ""
    with contextlib.suppress(*_ENDED):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1_024 / 1e6 if found else 0.0  # A zombie has none.


def processor_seconds(pid: int) -> float:
    """What a process has used of processors so far, by its user and system time."""
    return sum(map(int, _stat(pid)[11:13])) / _TICKS_A_SECOND


def tree_processor_seconds(pid: int) -> float:
    """The same with all processes below it, also those that have ended and were waited for."""
    _, *below = tree(pid)
    return _with_ended(pid) + living_processor_seconds(below)


def living_processor_seconds(pids: Iterable[int]) -> float:
    """The same of several, without those that have just ended."""
    seconds = 0.0
    for pid in pids:
        with contextlib.suppress(*_ENDED):
            seconds += _with_ended(pid)
    return seconds


def _with_ended(pid: int) -> float:
    """With its children that have ended and were waited for."""
    return sum(map(int, _stat(pid)[11:15])) / _TICKS_A_SECOND


def tree(pid: int) -> list[int]:
    """A process and all that are below it now."""
    below: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(*_ENDED):
            below[int(_stat(int(folder.name))[1])].append(int(folder.name))
    found = [pid]
    for each in found:
        found += below[each]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of a process after its name, which is in brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def idle(stage: Stage) -> None:
    """Print what API and worker hold once there is nothing to do."""
    for part in ("api", "worker"):
        console.print(
            f"Memory of {part} after all this: {resident_mib(stage.pid_of(part)):.0f} MiB"
        )
