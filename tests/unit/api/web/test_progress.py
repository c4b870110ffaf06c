"""How far a task is, in words."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.web.progress import has_an_end, progress
from api.wire.responses.tasks import Progress, TaskSummary
from workflows.states import TaskType


def task(type_: Any, done: int, total: int) -> TaskSummary:
    told = Progress(done=done, total=total, percent=0)
    return cast(TaskSummary, SimpleNamespace(type=type_, progress=told))


@pytest.mark.parametrize(
    ("type_", "done", "total", "text", "is_measured"),
    [
        (TaskType.PIPELINE, 2, 4, "2 of 4", True),
        (TaskType.PLAN, 0, 3, "0 of 3", True),
        (TaskType.AGENT, 1, 50, "1 turn", False),
        (TaskType.AGENT, 5, 50, "5 turns", False),
        (TaskType.EXCHANGE, 0, 50, "0 turns", False),
        (TaskType.AUTO, 0, 0, "", False),
    ],
)
def test_turns_are_counted_and_steps_are_measured(
    type_: TaskType, done: int, total: int, text: str, is_measured: bool
) -> None:
    assert progress(task(type_, done, total)) == text
    assert has_an_end(task(type_, done, total)) is is_measured
