"""The trace of a task as the API shows it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from activities.store.reading.traces import (
    MAX_TRACED,
    Trace,
    TracedAnswer,
    TracedAttempt,
    TracedStep,
)
from api.cli.commands.trace_view import print_trace
from api.tasks.tracing import spans
from workflows.states import Status

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, MAX_TRACED])
def test_a_trace_says_that_it_is_cut(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [TracedAnswer(number, number, "m", 1, 1, NOW) for number in range(1, count + 1)]
    span = spans(Trace("a", Status.COMPLETED, NOW, NOW, (), answers))
    is_cut = count == MAX_TRACED
    assert span.is_cut == is_cut
    print_trace(span.model_copy(update={"children": []}))
    assert ("left out" in capsys.readouterr().out) == is_cut


@pytest.mark.parametrize("count", [1, MAX_TRACED])
def test_a_trace_says_that_what_happened_in_nodes_is_cut(count: int) -> None:
    answers = [TracedAnswer(number, number, "m", 1, 1, NOW) for number in range(1, count + 1)]
    inner = Trace("n", Status.COMPLETED, NOW, NOW, (), answers)
    node = TracedStep(UUID(int=1), "n", "agent", Status.COMPLETED, 4, NOW, NOW, (), 1, inner)
    span = spans(Trace("a", Status.COMPLETED, NOW, NOW, (node,), ()))
    assert span.is_cut == (count == MAX_TRACED)
    # Whatever has become of the call that made it, the node is shown.
    assert [child.name for child in span.children] == ["n"]


def test_the_time_before_a_person_had_a_step_run_again_is_no_time_of_the_step() -> None:
    def at(seconds: float) -> datetime:
        return NOW + timedelta(seconds=seconds)

    attempts = [
        TracedAttempt(1, 1, Status.FAILED, at(0), at(1)),
        TracedAttempt(2, 1, Status.FAILED, at(60), at(61)),
        TracedAttempt(2, 2, Status.COMPLETED, at(62), at(63)),
    ]
    step = TracedStep(
        UUID(int=1), "a", "code", Status.COMPLETED, 1, at(60), at(63), attempts=attempts
    )
    [span] = spans(Trace("t", Status.COMPLETED, NOW, at(63), (step,), ())).children
    assert (span.start, span.duration_ms) == (at(60), 3_000)
    assert span.children[0].name == "run 1, attempt 1"


def test_a_step_that_waits_in_an_ended_task_has_no_time_though_it_ran_before() -> None:
    attempts = [TracedAttempt(1, 1, Status.FAILED, NOW, NOW + timedelta(seconds=1))]
    item = TracedStep(UUID(int=2), "a[0]", "code", Status.PENDING, 1, None, None, attempts)
    [span] = spans(Trace("t", Status.FAILED, NOW, NOW, (item,), ())).children
    assert (span.start, span.end, span.duration_ms) == (None, None, None)
    assert span.children[0].duration_ms == 1_000
