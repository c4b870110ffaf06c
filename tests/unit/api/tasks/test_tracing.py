"""The trace of a task as the API shows it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from activities.store.reading.traces import MAX_TRACED, Trace, TracedAnswer, TracedStep
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
