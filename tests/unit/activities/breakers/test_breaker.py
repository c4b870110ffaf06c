"""A breaker, against a plainer model of itself and on a clock that the tests turn."""

from dataclasses import dataclass, field, replace
from math import inf

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from activities.breakers.breaker import (
    ELECTION,
    Breaker,
    Leave,
    Outcome,
    Refusal,
    Shared,
    Trip,
)
from activities.breakers.options import BreakerOptions
from activities.breakers.window import BUCKETS
from workflows.states import BreakerState

OPTIONS = BreakerOptions(share=0.5, calls=6, window_seconds=60.0, open_seconds=30.0)
CLOSED = Shared(BreakerState.CLOSED)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    options: BreakerOptions = OPTIONS
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.options, self.clock)

    def admitted(self) -> Leave:
        leave = self.breaker.admit()
        assert isinstance(leave, Leave)
        return leave

    def call(self, *outcomes: Outcome, seconds: float = 0.0) -> Trip | None:
        trip = None
        for outcome in outcomes:
            leave = self.admitted()
            self.clock.now += seconds
            trip = self.breaker.ended(leave, outcome)
        return trip


GOOD, BAD, NONE = Outcome.SOUND, Outcome.FAILED, Outcome.UNKNOWN


def test_a_breaker_opens_when_its_share_of_enough_calls_has_failed() -> None:
    stage = Stage()
    assert stage.call(GOOD, BAD, GOOD, BAD, GOOD) is None
    trip = stage.call(BAD)
    assert trip is not None
    assert (trip.failures, trip.calls) == (3, 6)
    stage.clock.now += 4
    refusal = stage.breaker.admit()
    assert isinstance(refusal, Refusal)
    assert (refusal.seconds, refusal.why) == (26.0, "3 of 6 calls failed")


def test_failures_below_the_share_or_the_number_of_calls_leave_a_breaker_closed() -> None:
    stage = Stage()
    assert stage.call(*[BAD] * 5) is None
    assert stage.call(*[GOOD] * 10, BAD) is None
    assert stage.breaker.is_closed


def test_as_many_failures_in_a_row_open_a_breaker_however_many_calls_went_well_before() -> None:
    stage = Stage()
    stage.call(*[GOOD] * 1_000)
    assert stage.call(*[BAD] * 5) is None
    assert stage.call(BAD) is not None


def test_what_failed_before_the_window_is_forgotten() -> None:
    stage = Stage()
    stage.call(BAD, BAD, BAD)
    stage.clock.now += OPTIONS.window_seconds
    assert stage.call(GOOD, BAD, GOOD, BAD) is None


def test_calls_that_say_nothing_of_what_was_called_are_not_counted() -> None:
    stage = Stage()
    assert stage.call(*[NONE] * 100) is None
    assert stage.breaker.is_at_rest


def test_slow_calls_open_a_breaker_where_that_is_set() -> None:
    stage = Stage(replace(OPTIONS, slow_seconds=2.0, slow_share=1.0))
    assert stage.call(*[GOOD] * 5, seconds=2.0) is None
    trip = stage.call(GOOD, seconds=2.0)
    assert trip is not None
    assert (trip.failures, trip.slow) == (0, 6)
    assert stage.breaker.why == "6 of 6 calls were slow"


def test_slow_calls_count_for_nothing_by_default() -> None:
    stage = Stage()
    assert stage.call(*[GOOD] * 20, seconds=1_000.0) is None


def test_one_of_many_calls_holds_an_election_when_the_time_is_over() -> None:
    stage = Stage()
    stage.call(*[BAD] * 6)
    stage.clock.now += OPTIONS.open_seconds
    assert stage.breaker.admit() is ELECTION
    assert [type(stage.breaker.admit()) for _ in range(100)] == [Refusal] * 100
    stage.breaker.won(15.0)
    assert isinstance(stage.breaker.admit(), Refusal)
    stage.clock.now += 15.0
    assert stage.breaker.admit() is ELECTION, "the call that tried is lost"


def test_calls_from_before_a_breaker_opened_do_not_open_it_again() -> None:
    stage = Stage()
    late = [stage.admitted() for _ in range(100)]
    stage.call(*[BAD] * 6)
    stage.breaker.learn(CLOSED)
    assert [stage.breaker.ended(leave, BAD) for leave in late] == [None] * 100
    assert stage.breaker.is_closed


def test_a_breaker_that_opened_elsewhere_is_open_here_until_it_is_closed_there() -> None:
    stage = Stage()
    stage.breaker.learn(Shared(BreakerState.OPEN, 12.0, "9 of 10 calls failed"))
    assert stage.breaker.admit() == Refusal(12.0, "9 of 10 calls failed")
    stage.breaker.learn(CLOSED)
    stage.admitted()


def test_a_breaker_that_was_opened_by_hand_is_tried_by_nobody() -> None:
    stage = Stage()
    stage.breaker.learn(Shared(BreakerState.OPEN, None, "it was opened by hand"))
    stage.clock.now += 1e9
    assert stage.breaker.admit() == Refusal(None, "it was opened by hand")


def test_a_breaker_that_is_kept_closed_does_not_count_until_that_is_over() -> None:
    stage = Stage()
    stage.breaker.learn(Shared(BreakerState.CLOSED, 60.0))
    assert stage.call(*[BAD] * 100) is None
    stage.clock.now += 60.0
    assert stage.call(*[BAD] * 6) is not None


@pytest.mark.parametrize("state", list(BreakerState))
def test_to_hear_the_same_again_changes_nothing(state: BreakerState) -> None:
    stage = Stage()
    stage.breaker.learn(Shared(state, 20.0))
    before = stage.breaker.admit()
    stage.breaker.learn(Shared(state, 20.0))
    assert stage.breaker.admit() == before


class Histories(RuleBasedStateMachine):
    """Any calls, ending in any order: it is open exactly when a plain count of the calls says so,
    and is never tried by two."""

    leaves = Bundle("leaves")

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.ended: list[tuple[float, bool]] = []  # since the last change
        self.period = 0
        self.retry_at: float | None = None
        self.is_probed = False

    @property
    def breaker(self) -> Breaker:
        return self.stage.breaker

    @property
    def now(self) -> float:
        return self.stage.clock.now

    @rule(target=leaves)
    def ask(self) -> tuple[Leave, int] | None:
        answer = self.breaker.admit()
        if self.retry_at is None:
            assert isinstance(answer, Leave)
            return answer, self.period
        if self.now < self.retry_at:
            assert isinstance(answer, Refusal)
            assert answer.seconds is None or answer.seconds > 0
        else:
            assert answer is ELECTION
            self.breaker.won(10.0)
            self.retry_at = self.now + 10.0
        return None

    @rule(taken=consumes(leaves), outcome=st.sampled_from(list(Outcome)))
    def end(self, taken: tuple[Leave, int] | None, outcome: Outcome) -> None:
        if taken is None:
            return
        leave, period = taken
        trip = self.breaker.ended(leave, outcome)
        if period != self.period or outcome is Outcome.UNKNOWN:
            assert trip is None
            return
        self.ended.append((self.now, outcome is Outcome.FAILED))
        assert (trip is not None) == (outcome is Outcome.FAILED and self.has_cause())
        if trip is not None:
            assert trip.failures == sum(failed for _, failed in self.counted())
            self.change(self.now + OPTIONS.open_seconds)

    def counted(self) -> list[tuple[float, bool]]:
        width = OPTIONS.window_seconds / BUCKETS
        first = self.now // width - BUCKETS
        return [(at, failed) for at, failed in self.ended if at // width > first]

    def has_cause(self) -> bool:
        results = [failed for _, failed in self.counted()]
        enough = len(results) >= OPTIONS.calls
        last = [failed for _, failed in self.ended[-OPTIONS.calls :]]
        in_a_row = len(last) == OPTIONS.calls and all(last)
        return in_a_row or (enough and sum(results) >= OPTIONS.share * len(results))

    def change(self, retry_at: float | None) -> None:
        self.retry_at, self.period, self.ended = retry_at, self.period + 1, []

    @rule(seconds=st.one_of(st.none(), st.floats(0.5, 100)))
    def hear_that_it_is_open(self, seconds: float | None) -> None:
        self.breaker.learn(Shared(BreakerState.OPEN, seconds))
        retry_at = inf if seconds is None else self.now + seconds
        if self.retry_at is None:
            self.change(retry_at)
        self.retry_at = retry_at

    @rule()
    def hear_that_it_is_closed(self) -> None:
        self.breaker.learn(CLOSED)
        if self.retry_at is not None:
            self.change(None)

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.stage.clock.now += seconds

    @invariant()
    def says_what_it_does(self) -> None:
        assert self.breaker.is_closed == (self.retry_at is None)


TestHistories = Histories.TestCase
