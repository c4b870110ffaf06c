"""The state behind a progress display, and its pictures."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from rich.console import Console, RenderableType

from api.cli.display.amounts import duration
from api.cli.display.frames import frame, picture
from api.cli.display.glyphs import ASCII
from api.cli.display.progress import StepProgress, TaskProgress
from tests.growth import is_about_linear
from workflows.events import parse
from workflows.states import Status

START = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
STEPS = ("clean", "chart", "note")
ERROR = {"code": "script-failed", "message": "It failed.", "step": "chart"}


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_task(*events: tuple[str, dict[str, Any]]) -> TaskProgress:
    """A task of three steps to which something happened, a second apart."""
    task = TaskProgress("0199", "sales", steps={name: StepProgress(name) for name in STEPS})
    for number, (kind, data) in enumerate((("task.status", {"status": "pending"}), *events)):
        take(task, kind, data, after(number))
    return task


def take(task: TaskProgress, kind: str, data: dict[str, Any], at: datetime) -> None:
    """As those who follow a task do: what they do not know they skip."""
    if (event := parse(kind, data)) is not None:
        task.take(event, at)


def drawn(renderable: RenderableType, width: int = 80) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False, record=True
    )
    console.print(renderable, crop=False)
    return console.export_text().splitlines()


STARTED = ("step.started", {"step": "clean", "attempt": 1})
COMPLETED = ("step.completed", {"step": "clean", "duration_ms": 1_200})
CHART = ("step.started", {"step": "chart", "attempt": 1})
RETRYING = (
    "step.retrying",
    {
        "step": "chart",
        "attempt": 1,
        "next_attempt_at": after(10).isoformat(),
        "error": ERROR,
    },
)


HELD = (
    "step.held",
    {"step": "chart", "reason": "a slot of mcp:slow", "next_attempt_at": after(10).isoformat()},
)


def test_a_step_that_is_held_says_what_it_waits_for() -> None:
    text = "\n".join(drawn(frame(a_task(STARTED, COMPLETED, CHART, HELD), after(5))))
    assert "waits for a slot of mcp:slow, until" in text
    assert a_task(CHART, HELD).steps["chart"].status is Status.QUEUED


def test_a_step_that_begins_after_all_waits_for_nothing() -> None:
    step = a_task(CHART, HELD, CHART).steps["chart"]
    assert (step.status, step.waits_for, step.attempt) == (Status.RUNNING, "", 1)


def test_a_step_that_starts_makes_the_task_run() -> None:
    assert a_task(STARTED).status is Status.RUNNING


def test_each_step_shows_what_it_is_at() -> None:
    output = ("step.output", {"step": "chart", "text": "10%\r20%\r"})
    phase = ("step.phase", {"step": "chart", "phase": "executing"})
    made = ("artifact.created", {"step": "clean", "name": "clean.csv", "size": 2_000})
    task = a_task(STARTED, made, COMPLETED, CHART, phase, output)
    text = "\n".join(drawn(frame(task, after(9.5))))
    assert "sales  running · 1/3 steps · 9.5s  0199" in text
    assert "✓ clean" in text
    assert "1.2s" in text
    assert "↳ clean.csv" in text
    assert "2.0 kB" in text
    assert "5.5s  executing" in text
    assert "│ 20%" in text
    assert "· note" in text


def test_a_step_that_is_tried_again_says_when_and_why() -> None:
    text = "\n".join(drawn(frame(a_task(CHART, RETRYING), after(3))))
    at = after(10).astimezone().strftime("%H:%M:%S")
    assert f"attempt 2 at {at}, in 7s" in text
    assert "It failed." in text
    again = ("step.started", {"step": "chart", "attempt": 2})
    text = "\n".join(drawn(frame(a_task(CHART, RETRYING, again), after(11))))
    assert "attempt 2" in text
    assert "It failed." not in text


def test_an_attempt_begins_without_what_the_one_before_left_behind() -> None:
    output = ("step.output", {"step": "chart", "text": "old"})
    made = ("artifact.created", {"step": "chart", "name": "old.png"})
    again = ("step.started", {"step": "chart", "attempt": 2})
    task = a_task(CHART, output, made, RETRYING, again)
    assert task.steps["chart"].last_lines(1) == []
    assert list(task.artifacts) == []


def test_the_end_says_why_and_what_to_do() -> None:
    output = ("step.output", {"step": "chart", "text": "reading\nno column x\n"})
    failed = ("task.status", {"status": "blocked", "error": ERROR})
    lines = drawn(picture(a_task(STARTED, COMPLETED, CHART, output, failed), after(9)))
    text = "\n".join(lines)
    assert "✗ sales failed every attempt, after 5.0s" in text
    assert "✗ chart" in text
    assert "It failed." in text
    assert "│ no column x" in text
    assert "agentos logs 0199 --step chart" in text
    assert "agentos retry 0199 --from chart" in text


def test_a_node_that_failed_is_run_again_by_its_plan() -> None:
    failed = ("task.status", {"status": "blocked", "error": ERROR})
    task = a_task(STARTED, COMPLETED, CHART, failed)
    task.parent_id = "4711"
    assert "agentos retry 4711 --from 0199" in "\n".join(drawn(picture(task, after(9))))


def test_the_next_run_keeps_what_succeeded_and_begins_the_rest() -> None:
    failed = ("task.status", {"status": "failed", "error": ERROR})
    pending = ("task.status", {"status": "pending"})
    task = a_task(STARTED, COMPLETED, CHART, failed, pending)
    states = [step.status for step in task.steps.values()]
    assert states == [Status.COMPLETED, Status.PENDING, Status.PENDING]
    assert (task.status, task.error, task.ended_at) == (Status.PENDING, None, None)


def test_a_cancelled_task_has_no_step_that_runs() -> None:
    task = a_task(CHART, ("task.status", {"status": "cancelled"}))
    assert task.steps["chart"].status is Status.CANCELLED


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("step.vanished", {"step": "clean"}),
        ("task.vanished", {}),
        ("step.started", {}),
        ("step.started", {"step": ["clean"]}),
        ("step.started", {"step": "clean", "more": 1}),
        ("step.started", {"step": "clean", "attempt": "first"}),
        ("step.failed", {"step": "clean", "error": "why"}),
        ("artifact.created", {"step": "clean"}),
        ("task.status", {"status": "dreaming"}),
        ("task.status", {}),
        ("step.output_cut", {"step": "clean", "limit": 5}),
    ],
)
def test_what_a_newer_server_says_changes_nothing(kind: str, data: dict[str, JsonValue]) -> None:
    task = a_task((kind, data))
    assert task.steps.keys() == set(STEPS)
    assert drawn(frame(task, START))


def test_a_flood_of_output_costs_little_and_keeps_little() -> None:
    task = a_task(STARTED)
    line: dict[str, JsonValue] = {"step": "clean", "text": "x" * 80 + "\n"}

    def flood(lines: int) -> None:
        for _ in range(lines):
            take(task, "step.output", line, START)

    assert is_about_linear(flood, 20_000)
    assert len(task.steps["clean"].output) < 10_000


@given(
    st.lists(st.sampled_from([STARTED, COMPLETED, CHART, RETRYING]), max_size=8),
    st.integers(20, 200),
    st.integers(3, 30),
    st.integers(0, 60),
)
def test_a_picture_is_never_wider_nor_higher_than_the_terminal_once_steps_can_be_hidden(
    events: list[tuple[str, dict[str, Any]]], width: int, height: int, more: int
) -> None:
    task = a_task(*events)
    for number in range(more):
        task.steps[f"step{number}"] = StepProgress(f"step{number}", "表" * 30)
    lines = drawn(frame(task, after(9), height_lines=height), width)
    assert all(len(line) <= width for line in lines)
    shown = [step for step in task.steps.values() if step.status is not Status.PENDING]
    assert len(lines) <= max(height, 4 + 3 * len(shown))


def test_running_steps_stay_in_sight() -> None:
    steps = {f"s{n}": StepProgress(f"s{n}", status=Status.COMPLETED) for n in range(50)}
    steps |= {"now": StepProgress("now", status=Status.RUNNING, started_at=START)}
    steps |= {f"w{n}": StepProgress(f"w{n}") for n in range(50)}
    lines = drawn(frame(TaskProgress("0199", "sales", steps=steps), START, height_lines=20))
    assert len(lines) <= 20
    assert any(" now " in line for line in lines)
    assert any("✓ 5" in line or "✓ 4" in line for line in lines[1:2])


def test_a_single_hidden_step_is_counted_as_one() -> None:
    made = [("artifact.created", {"step": "clean", "name": name}) for name in "abc"]
    task = a_task(STARTED, *made, COMPLETED, CHART)
    lines = [line.strip() for line in drawn(frame(task, after(9), height_lines=6))]
    assert "✓ 1 step" in lines


def test_a_terminal_without_unicode_gets_none_of_a_pipeline() -> None:
    failed = ("task.status", {"status": "failed", "error": ERROR})
    made = ("artifact.created", {"step": "chart", "name": "a"})
    task = a_task(STARTED, CHART, made, failed)
    body = drawn(frame(task, START, ASCII))[1:]
    assert all(line.isascii() for line in body)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0s"),
        (9.96, "10.0s"),
        (59.9, "59.9s"),
        (59.99, "1m 00s"),
        (61, "1m 01s"),
        (7_500, "2h 05m"),
    ],
)
def test_a_duration_is_shown_in_its_greatest_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
