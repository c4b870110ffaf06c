"""A circuit breaker, as one worker knows it: closed, open, or half-open while one call tries.

As in M. Nygard, "Release It!". It counts by itself and opens by itself; that it is open elsewhere,
or closed again, it is told (``learn``). It knows neither database nor tasks: whoever uses it asks
before each call and tells how the call ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from activities.breakers.options import BreakerOptions
from activities.breakers.window import Window
from workflows.states import BreakerState

# When to ask again where another call is the one that tries: nobody knows how long that takes.
PROBED_SECONDS = 2.0


class Outcome(StrEnum):
    """How a call ended for what was called. ``UNKNOWN``: that says nothing of it."""

    SOUND = "sound"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all workers know of a breaker. ``seconds`` are left of its state: until the next try,
    until the one that tries counts as lost, or for which a closed one does not open; None: until
    somebody says otherwise. ``why`` is a part of a sentence."""

    state: BreakerState
    seconds: float | None = None
    why: str = ""


@dataclass(slots=True)
class Leave:
    """Leave for one call. ``period`` counts how often the breaker had changed its state."""

    period: int
    began_at: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave. ``seconds`` is when to ask again; None: when somebody closes it."""

    seconds: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Trip:
    """The breaker has opened: so many of ``calls`` failed or were ``slow``, the oldest of which
    ended ``age_seconds`` ago."""

    calls: int
    failures: int
    slow: int
    age_seconds: float


class Election:
    """It may be tried: by one call, of all that all workers make. Whoever asked holds an election
    (``won``, ``lost``); until then others are refused."""


ELECTION = Election()


class Breaker:
    """``clock`` gives seconds that never run backwards."""

    def __init__(self, options: BreakerOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._window = Window(options.window_seconds, clock)
        self._failed_in_a_row = 0
        self._period = 0
        self._retry_at: float | None = None  # None: it is closed
        self._keeps_closed_until = -inf
        self._is_electing = False
        self._is_probed = False
        self.why = ""
        """Why it is open, as a part of a sentence."""

    @property
    def is_closed(self) -> bool:
        return self._retry_at is None

    @property
    def is_at_rest(self) -> bool:
        """Whether it is as one that was just made."""
        counted = self._window.counts.calls or self._failed_in_a_row
        return self.is_closed and not counted and not self._is_kept

    @property
    def refusal(self) -> Refusal | None:
        """Why a call would be refused now; None if it would not, but for an election."""
        if self._retry_at is None:
            return None
        seconds = self._retry_at - self._clock()
        if self._is_electing or (self._is_probed and seconds > 0):
            return self.is_probed_elsewhere
        if seconds <= 0:
            return None
        return Refusal(None if seconds == inf else seconds, self.why)

    @property
    def is_probed_elsewhere(self) -> Refusal:
        """Refuses a call while another one tries."""
        return Refusal(PROBED_SECONDS, self.why)

    def leave(self) -> Leave:
        """Leave for a call past a closed breaker."""
        return Leave(self._period, self._clock())

    def admit(self) -> Leave | Refusal | Election:
        """Leave for a call, whose end must be told with it."""
        if self._retry_at is None:
            return self.leave()
        if (refusal := self.refusal) is not None:
            return refusal
        self._is_electing = True
        return ELECTION

    def won(self, lease_seconds: float) -> Leave:
        """The call is the one that tries, and counts as lost after so long."""
        self._is_electing, self._is_probed = False, True
        self._retry_at = self._clock() + lease_seconds
        return Leave(self._period, self._clock())

    def lost(self) -> None:
        """Another call tries, or nobody could be asked. What is known of that, ``learn`` says."""
        self._is_electing = False

    def ended(self, leave: Leave, outcome: Outcome) -> Trip | None:
        """Count a call. Not one that tries: what comes of that is for all workers.

        Calls that began before the last change tell of a past that the breaker knows already: a
        hundred of them that fail late must not open it again.
        """
        if leave.period != self._period or outcome is Outcome.UNKNOWN or self._is_kept:
            return None
        failed, slow_seconds = outcome is Outcome.FAILED, self._options.slow_seconds
        slow = slow_seconds > 0 and self._clock() - leave.began_at >= slow_seconds
        self._window.add(failed=failed, slow=slow)
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        return self._trip() if failed or slow else None

    def learn(self, shared: Shared) -> None:
        """What all know now."""
        now = self._clock()
        is_closed = shared.state is BreakerState.CLOSED
        if is_closed != self.is_closed:
            self._begin_period()
        self.why = shared.why
        self._is_probed = shared.state is BreakerState.HALF_OPEN
        if is_closed:
            self._retry_at = None
            self._keeps_closed_until = now + shared.seconds if shared.seconds else -inf
        else:
            self._retry_at = now + (inf if shared.seconds is None else shared.seconds)
            self._keeps_closed_until = -inf

    @property
    def _is_kept(self) -> bool:
        return self._keeps_closed_until > -inf and self._clock() < self._keeps_closed_until

    def _trip(self) -> Trip | None:
        counts = self._window.counts
        options = self._options
        is_enough = counts.calls >= options.calls
        fails = counts.failures and counts.failures >= options.share * counts.calls
        drags = counts.slow and counts.slow >= options.slow_share * counts.calls
        if not (is_enough and (fails or drags)) and self._failed_in_a_row < options.calls:
            return None
        trip = Trip(counts.calls, counts.failures, counts.slow, self._window.age_seconds)
        self.why = why_tripped(trip)
        self._is_probed = False
        self._retry_at = self._clock() + options.open_seconds
        self._begin_period()
        return trip

    def _begin_period(self) -> None:
        self._period += 1
        self._failed_in_a_row = 0
        self._window.clear()


def why_tripped(trip: Trip, error: str = "") -> str:
    """``error`` is the code of the last failure."""
    last = f", the last with {error}" if error else ""
    if trip.failures:
        return f"{trip.failures} of {trip.calls} calls failed{last}"
    return f"{trip.slow} of {trip.calls} calls were slow"
