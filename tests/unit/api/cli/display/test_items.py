"""Items of a step, which displays count with it."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType

from api.cli.display.frames import frame, summary
from api.cli.display.glyphs import ASCII
from api.cli.display.plain_lines import PlainLines
from api.cli.display.progress import StepProgress, TaskProgress
from workflows.events import parse
from workflows.states import Status

START = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
ERROR = {"code": "script-failed", "message": "It failed.", "step": "each[1]"}
OPENED = [("task.status", {"status": "running"}), ("step.started", {"step": "each", "items": 3})]
FAILED = [
    ("step.started", {"step": "each[0]"}),
    ("step.started", {"step": "each[1]"}),
    ("step.completed", {"step": "each[0]", "exit_code": 0}),
    ("artifact.created", {"step": "each[0]", "id": "1", "name": "a.txt", "size": 3}),
    ("step.failed", {"step": "each[1]", "error": ERROR}),
    ("task.status", {"status": "failed", "error": {**ERROR, "others": 1}}),
]


def a_task() -> TaskProgress:
    return TaskProgress(
        "0199", "sales", steps={"each": StepProgress("each"), "end": StepProgress("end")}
    )


def follow(task: TaskProgress, told: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """What is printed where there is no terminal."""
    console = Console(file=io.StringIO(), width=120, color_system=None)
    lines = PlainLines(task, console)
    for number, (kind, data) in enumerate(told):
        event = parse(kind, data)
        assert event is not None
        lines.take(event, START + timedelta(seconds=number))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def text_of(drawn: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(drawn)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_items_are_counted_in_the_line_of_their_step() -> None:
    task = a_task()
    follow(task, [*OPENED, *FAILED[:4]])
    drawn = text_of(frame(task, START, ASCII))
    assert "1/3" in drawn
    assert "0/2 steps" in drawn
    assert "each[0]" not in drawn
    assert "a.txt" in drawn


def test_an_item_that_failed_is_named_with_its_reason_and_how_many_more_there_are() -> None:
    task = a_task()
    follow(task, [*OPENED, *FAILED])
    assert "1/3, 1 failed" in text_of(frame(task, START, ASCII))
    assert "each[1]: It failed." in text_of(frame(task, START, ASCII))
    drawn = text_of(summary(task, START, ASCII))
    assert "It failed. (1 more failure)" in drawn
    assert "agentos logs 0199 --step 'each[1]'" in drawn
    assert "agentos retry 0199\n" in drawn


@pytest.mark.parametrize(
    ("code", "runs", "plain", "mended"),
    [
        ("reference-malformed", "csv-clean", False, True),
        ("tool-arguments-invalid", "write_file", False, True),
        ("module-missing", "python code", False, True),
        ("dependency-refused", "python code", False, True),
        ("dependency-refused", "csv-clean", True, True),
        ("reference-unresolved", "csv-clean", True, True),
        ("skill-not-found", "csv-clean", True, True),
        ("script-failed", "python code", True, False),
    ],
)
def test_a_mended_pipeline_is_asked_for_where_it_may_be_wrong_and_alone_where_it_must_be(
    code: str, runs: str, plain: bool, mended: bool
) -> None:
    task = a_task()
    task.steps["each"].runs = runs
    error = {**ERROR, "code": code, "step": "each"}
    follow(task, [*OPENED, ("task.status", {"status": "failed", "error": error})])
    drawn = text_of(summary(task, START, ASCII))
    assert ("agentos retry 0199 --from each\n" in drawn) is plain
    assert ("agentos retry 0199 --pipeline FILE\n" in drawn) is mended
    task.parent_id = "4711"  # A node has no file of its own.
    assert "--pipeline" not in text_of(summary(task, START, ASCII))


def test_what_is_printed_of_an_error_has_no_line_of_spaces() -> None:
    task = a_task()
    follow(task, [*OPENED, *FAILED])
    lines = text_of(summary(task, START, ASCII)).split("\n")
    assert {line for line in lines if not line.strip()} == {""}


MISSING = {
    "code": "module-missing",
    "message": "Step end: the script failed. It ended with: No module named 'yaml'. What to do: x.",
    "step": "end",
}
ENDS = [
    ("step.started", {"step": "end"}),
    ("step.output", {"step": "end", "stream": "stderr", "text": "in main\nNo module named 'yaml'"}),
    ("step.failed", {"step": "end", "error": MISSING}),
]
OVER = ("task.status", {"status": "failed", "error": MISSING})


@pytest.mark.parametrize("others", [0, 2])
def test_what_a_message_repeats_of_the_output_is_not_shown_twice(others: int) -> None:
    task = a_task()
    follow(
        task, [*ENDS, ("task.status", {"status": "failed", "error": MISSING | {"others": others}})]
    )
    drawn = text_of(summary(task, START, ASCII))
    assert drawn.count("No module named 'yaml'") == 1
    assert "in main" in drawn


@pytest.mark.parametrize(
    ("between", "count"), [([], 1), ([("step.started", {"step": "each", "items": 3})], 2)]
)
def test_without_a_terminal_why_a_task_failed_is_said_once_unless_lines_come_between(
    between: list[tuple[str, dict[str, Any]]], count: int
) -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    lines = PlainLines(a_task(), console)
    for kind, data in [OPENED[0], *ENDS, *between, OVER]:
        event = parse(kind, data)
        assert event is not None
        lines.take(event, START)
    console.print(lines.summary(START))
    printed = str(console.file.getvalue())  # type: ignore[attr-defined]
    assert printed.count("What to do: x.") == count
    assert "agentos logs 0199 --step end" in printed


def test_without_a_terminal_some_lines_tell_how_far_many_items_are() -> None:
    items = [
        event
        for number in range(200)
        for event in (
            ("step.started", {"step": f"each[{number}]"}),
            ("step.completed", {"step": f"each[{number}]", "exit_code": 0}),
        )
    ]
    opened = [OPENED[0], ("step.started", {"step": "each", "items": 200})]
    lines = follow(a_task(), [*opened, *items]).splitlines()
    assert lines[1].endswith("each: started for 200 items")
    assert [line.rpartition(" ")[2] for line in lines[2:]] == [
        f"{number}/200" for number in range(20, 201, 20)
    ]


def test_what_is_retried_begins_with_its_items_pending() -> None:
    task = a_task()
    follow(task, [*OPENED, *FAILED, ("task.status", {"status": "pending"})])
    items = task.steps["each"].items
    assert items["each[0]"].status is Status.COMPLETED
    assert items["each[1]"].status is Status.PENDING


def test_what_items_a_step_had_before_counts_for_nothing_when_all_of_them_run_again() -> None:
    first = [("step.completed", {"step": f"each[{n}]", "exit_code": 0}) for n in range(3)]
    ended = ("step.completed", {"step": "each", "exit_code": 0})
    again = [
        ("task.status", {"status": "completed"}),
        ("task.status", {"status": "pending"}),
        ("step.started", {"step": "each", "items": 3, "kept": 0}),
    ]
    task = a_task()
    lines = follow(task, [*OPENED, *first, ended, *again, first[0]])
    assert "each: 1/3" in lines.splitlines()[-1]
    follow(task, [("step.started", {"step": "each", "items": 3, "kept": 1})])
    assert task.steps["each"].count(Status.COMPLETED) == 1
