"""The trace of a task as the API shows it."""

from datetime import UTC, datetime

import pytest

from activities.store.reading.traces import MAX_TRACED, Trace, TracedAnswer
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
