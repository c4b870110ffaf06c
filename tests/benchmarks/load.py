"""How busy the machine is: figures taken beside other work say little."""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

_PRESSURE = Path("/proc/pressure/cpu")  # Missing where the kernel does not keep it.
_SOME = re.compile(r"some avg10=(?P<recent>[\d.]+) .*total=(?P<microseconds>\d+)")


@dataclass(frozen=True, slots=True)
class Pressure:
    """For how much of the time something waited for a core: in per cent of the last 10 s, and in
    seconds since the machine started."""

    recent_percent: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """``averages`` are of 1, 5 and 15 minutes: how many processes run or wait to."""

    cores: int
    averages: tuple[float, float, float]
    pressure: Pressure | None
    taken_at: float = field(default_factory=time.monotonic)

    @classmethod
    def now(cls, pressure_file: Path = _PRESSURE) -> "Load":
        return cls(len(os.sched_getaffinity(0)), os.getloadavg(), _pressure(pressure_file))

    def since(self, before: "Load") -> str:
        """This load, with the pressure of all the time between the two."""
        if self.pressure is None or before.pressure is None:
            return str(self)
        waited = self.pressure.seconds - before.pressure.seconds
        share = waited / max(self.taken_at - before.taken_at, 1e-9)
        return f"{self}, {share:.0%} meanwhile"

    def __str__(self) -> str:
        averages = ", ".join(f"{average:.2f}" for average in self.averages)
        load = f"{self.cores} cores, load average {averages}"
        if self.pressure is None:
            return load
        return f"{load}; CPU pressure {self.pressure.recent_percent:.0f}% in the last 10 s"


def _pressure(file: Path) -> Pressure | None:
    try:
        found = _SOME.search(file.read_text())
    except OSError:
        return None
    return Pressure(float(found["recent"]), int(found["microseconds"]) / 1e6) if found else None
