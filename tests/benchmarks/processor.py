"""What of the processors each part of the stack uses while something is measured."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.processes import processor_seconds, tree_processor_seconds
from tests.benchmarks.stage import Stage

OURS = ("API", "worker", "PostgreSQL")
REST = "all else, mostly sandboxes"
"""What is left of the machine's own account: the sandboxes, and whatever else ran meanwhile. Their
processes are nobody's children by the time they end, so that no account has them by themselves."""

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_BUSY_FIELDS = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq


@dataclass(frozen=True, slots=True)
class Meter:
    """Reads seconds of processor time so far."""

    stage: Stage

    def read(self) -> dict[str, float]:
        pid_of = self.stage.pid_of
        parts = {
            "API": processor_seconds(pid_of("api")),
            "worker": processor_seconds(pid_of("worker")),
            "PostgreSQL": tree_processor_seconds(pid_of("postgres")),
            "Temporal": tree_processor_seconds(pid_of("temporal")),
            "S3": tree_processor_seconds(pid_of("s3")),
            "plain worker": processor_seconds(self.stage.plain_pid),
            "this benchmark": time.process_time(),
        }
        return parts | {REST: machine_seconds() - sum(parts.values())}


def per_step(
    before: Mapping[str, float], after: Mapping[str, float], steps: int
) -> dict[str, float]:
    """Milliseconds for each of so many steps."""
    return {part: (after[part] - before[part]) * 1_000 / steps for part in before}


def machine_seconds(file: Path = Path("/proc/stat")) -> float:
    """What all processors together have worked since the machine started."""
    fields = file.read_text().splitlines()[0].split()[1:]
    return sum(int(fields[index]) for index in _BUSY_FIELDS) / _TICKS_A_SECOND
