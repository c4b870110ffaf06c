"""When a breaker opens, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """One opens when at least ``calls`` ended within ``window_seconds``, and ``share`` of them
    failed, or ``slow_share`` took ``slow_seconds`` and more (0: none is slow); or when ``calls`` in
    a row failed. It is open for ``open_seconds``, twice as long each time that it fails again, and
    for ``longest_seconds`` at most; after so long without a failure it begins anew."""

    share: float = 0.5
    calls: int = 10
    window_seconds: float = 60.0
    open_seconds: float = 30.0
    longest_seconds: float = 600.0
    slow_seconds: float = 0.0
    slow_share: float = 1.0
