"""What processes use, by the kernel's own account."""

import os
import re
from pathlib import Path

from tests.benchmarks.report import console
from tests.benchmarks.stage import Stage

_MEBIBYTE_KIB = 1024


def resident_mib(pid: int) -> float:
    """What a process holds in memory now (VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / _MEBIBYTE_KIB


def processor_seconds(pid: int) -> float:
    """What a process has used of processors so far, by its user and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(stage: Stage) -> None:
    """Print what API and worker hold once there is nothing to do."""
    for part in ("api", "worker"):
        console.print(
            f"Memory of {part} after all this: {resident_mib(stage.pid_of(part)):.0f} MiB"
        )
