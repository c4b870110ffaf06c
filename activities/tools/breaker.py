"""A circuit breaker: after failures in a row, calls are refused for a while, then one may try.

As in M. Nygard, "Release It!": closed, open, half-open. It knows neither time nor tasks; whoever
uses it asks before each call and tells how the call ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """``failures`` in a row open it for ``open_seconds``."""

    failures: int = 5
    open_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave for one call. ``period`` counts how often the breaker had changed its state."""

    period: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """No leave. ``retry_after_seconds`` is when to ask again; what a probe takes is not known."""

    retry_after_seconds: float


class Breaker:
    """The state of one dependency. ``clock`` gives seconds that never run backwards."""

    def __init__(self, options: BreakerOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._failures = 0
        self._period = 0
        self._opened_at: float | None = None
        self._is_probed = False

    @property
    def state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        return State.OPEN if self._remaining_seconds > 0 else State.HALF_OPEN

    @property
    def is_at_rest(self) -> bool:
        """Whether it is as one that was just made."""
        return self._opened_at is None and self._failures == 0

    def admit(self) -> Ticket | Refusal:
        """Permission for a call, whose end must be reported with the ticket."""
        match self.state:
            case State.OPEN:
                return Refusal(self._remaining_seconds)
            case State.HALF_OPEN:
                if self._is_probed:
                    return Refusal(self._options.open_seconds)
                self._is_probed = True
        return Ticket(self._period)

    def succeeded(self, ticket: Ticket) -> None:
        if self._is_current(ticket):
            self._failures = 0
            if self._opened_at is not None:
                self._opened_at = None
                self._begin_period()

    def failed(self, ticket: Ticket) -> None:
        if self._is_current(ticket):
            self._failures += 1
            if self._opened_at is not None or self._failures >= self._options.failures:
                self._opened_at = self._clock()
                self._begin_period()

    def abandoned(self, ticket: Ticket) -> None:
        """The call was given up by who made it, which says nothing about the dependency."""
        if self._is_current(ticket):
            self._is_probed = False

    def _is_current(self, ticket: Ticket) -> bool:
        """Calls that began before the last change tell of a past that the breaker knows already:
        a hundred of them that fail late must not keep it open."""
        return ticket.period == self._period

    def _begin_period(self) -> None:
        self._period += 1
        self._failures = 0
        self._is_probed = False

    @property
    def _remaining_seconds(self) -> float:
        assert self._opened_at is not None
        return self._opened_at + self._options.open_seconds - self._clock()
