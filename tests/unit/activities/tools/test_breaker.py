"""The breaker, against a plainer model of itself and on a clock that the tests turn."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from activities.tools.breaker import Breaker, BreakerOptions, Refusal, State, Ticket

FAILURES = 3
OPEN_SECONDS = 10.0
OPTIONS = BreakerOptions(failures=FAILURES, open_seconds=OPEN_SECONDS)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.breaker = Breaker(OPTIONS, self.clock)

    def admitted(self) -> Ticket:
        ticket = self.breaker.admit()
        assert isinstance(ticket, Ticket)
        return ticket

    def fail(self, times: int = FAILURES) -> None:
        for _ in range(times):
            self.breaker.failed(self.admitted())


def test_failures_in_a_row_open_the_breaker_and_it_says_for_how_long() -> None:
    stage = Stage()
    stage.fail()
    stage.clock.now += 4
    assert stage.breaker.admit() == Refusal(6.0)


def test_a_success_forgives_the_failures_before_it() -> None:
    stage = Stage()
    stage.fail(FAILURES - 1)
    stage.breaker.succeeded(stage.admitted())
    stage.fail(FAILURES - 1)
    assert stage.breaker.state is State.CLOSED


def test_an_open_breaker_admits_a_single_trial_call_after_a_while() -> None:
    stage = Stage()
    stage.fail()
    stage.clock.now += OPEN_SECONDS
    stage.admitted()
    assert isinstance(stage.breaker.admit(), Refusal)


def test_a_probe_that_succeeds_closes_the_breaker() -> None:
    stage = Stage()
    stage.fail()
    stage.clock.now += OPEN_SECONDS
    stage.breaker.succeeded(stage.admitted())
    assert stage.breaker.is_at_rest


def test_a_probe_that_fails_opens_the_breaker_for_the_whole_time_again() -> None:
    stage = Stage()
    stage.fail()
    stage.clock.now += OPEN_SECONDS + 5
    stage.breaker.failed(stage.admitted())
    assert stage.breaker.admit() == Refusal(OPEN_SECONDS)


def test_a_probe_that_is_given_up_lets_another_try() -> None:
    stage = Stage()
    stage.fail()
    stage.clock.now += OPEN_SECONDS
    stage.breaker.abandoned(stage.admitted())
    stage.admitted()


def test_calls_from_before_the_breaker_opened_do_not_keep_it_open() -> None:
    stage = Stage()
    late = [stage.admitted() for _ in range(5)]
    stage.fail()
    stage.clock.now += OPEN_SECONDS
    for ticket in late:
        stage.breaker.failed(ticket)
    assert stage.breaker.state is State.HALF_OPEN


def test_a_success_from_before_the_breaker_opened_does_not_close_it() -> None:
    stage = Stage()
    late = stage.admitted()
    stage.fail()
    stage.breaker.succeeded(late)
    assert stage.breaker.state is State.OPEN


class Histories(RuleBasedStateMachine):
    """Any calls, ending in any order: it is open only for failures, and never for ever."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.failures = 0
        self.probes: set[Ticket] = set()

    @property
    def breaker(self) -> Breaker:
        return self.stage.breaker

    @rule(target=tickets)
    def ask(self) -> Ticket | None:
        before = self.breaker.state
        ticket = self.breaker.admit()
        if isinstance(ticket, Refusal):
            assert before is not State.CLOSED
            assert 0 < ticket.retry_after_seconds <= OPEN_SECONDS
            return None
        assert before is not State.OPEN
        if before is State.HALF_OPEN:
            assert ticket not in self.probes, "a second probe while the first is out"
            self.probes.add(ticket)
        return ticket

    @rule(ticket=consumes(tickets), outcome=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, ticket: Ticket | None, outcome: str) -> None:
        if ticket is None:
            return
        self.failures += outcome == "failed"
        getattr(self.breaker, outcome)(ticket)
        self.probes.discard(ticket)

    @rule(seconds=st.floats(0, 2 * OPEN_SECONDS))
    def wait(self, seconds: float) -> None:
        self.stage.clock.now += seconds

    @invariant()
    def is_open_for_a_reason(self) -> None:
        if self.breaker.state is not State.CLOSED:
            assert self.failures >= FAILURES

    def teardown(self) -> None:
        """Once all that is out has come back, it recovers with the first success."""
        for probe in self.probes:
            self.breaker.abandoned(probe)
        self.stage.clock.now += OPEN_SECONDS
        self.breaker.succeeded(self.stage.admitted())
        assert self.breaker.state is State.CLOSED


TestHistories = Histories.TestCase
