"""A trace as a waterfall."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from api.web.drawing.timeline import MAX_BARS, MAX_ROWS, Timeline, find_span, timeline
from api.wire.responses.history import Span
from workflows.states import Status

START = datetime(2026, 11, 29, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\u202eevil\x00\ud800" + "x" * 2_000


def span(
    name: str,
    kind: str = "code",
    start: float | None = 0,
    end: float | None = 1,
    *children: Span,
    status: Status = Status.COMPLETED,
    task_id: UUID | None = None,
) -> Span:
    return Span(
        name=name,
        kind=kind,
        status=status,
        start=None if start is None else at(start),
        end=None if end is None else at(end),
        duration_ms=None,
        children=list(children),
        task_id=task_id,
    )


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def task(*children: Span, end: float | None = 10) -> Span:
    return span("task", "task", 0, end, *children)


def bars(drawn: Markup) -> Sequence[ElementTree.Element]:
    return [
        each for each in ElementTree.fromstring(drawn) if "bar" in each.get("class", "").split()
    ]


def pictures(drawn: Timeline) -> Sequence[Markup]:
    return [drawn.axis, drawn.grid, *(row.bars for row in drawn.rows)]


def test_attempts_are_kept_apart_in_the_row_of_their_step() -> None:
    failed = span("run 1, attempt 1", "attempt", 1, 2, status=Status.FAILED)
    done = span("run 1, attempt 2", "attempt", 3, 4)
    [row] = timeline(task(span("clean", "skill", 1, 4, failed, done), end=5), at(5)).rows
    assert (row.key, row.took, row.link) == ("clean", "3.0 s", "?step=clean")
    first, second = bars(row.bars)
    assert "bad" in first.attrib["class"]
    assert "good" in second.attrib["class"]
    assert (first.attrib["x"], first.attrib["width"]) == ("20.00%", "20.00%")
    assert second.attrib["x"] == "60.00%"
    assert "<title>2 attempts: failed, completed</title>" in row.bars


def test_what_runs_goes_on_until_now_and_the_present_is_marked() -> None:
    running = span("a", "code", 5, None, status=Status.RUNNING)
    drawn = timeline(task(running, end=None), at(20))
    [bar] = bars(drawn.rows[0].bars)
    assert (bar.attrib["x"], bar.attrib["width"]) == ("25.00%", "75.00%")
    assert 'class="now"' in drawn.grid
    assert 'class="now"' not in timeline(task(end=10), at(20)).grid


def test_a_step_that_has_not_begun_has_a_row_without_a_bar() -> None:
    [row] = timeline(task(span("b", start=None, end=None, status=Status.PENDING)), at(1)).rows
    assert not bars(row.bars)
    assert row.took == ""
    assert "not begun" in row.bars


def test_a_turn_shows_what_its_model_said_and_has_its_calls_below() -> None:
    said = span("model, 12 tokens", "llm", 0, 2)
    call = span("1.1 run_code", "tool", 2, 4, span("run 1, attempt 1", "attempt", 2, 4))
    rows = timeline(task(span("turn 1", "turn", 0, 4, said, call)), at(10)).rows
    assert [(row.key, row.depth) for row in rows] == [("turn 1", 0), ("1.1 run_code", 1)]
    [bar] = bars(rows[0].bars)
    assert "llm" in bar.attrib["class"]


def test_a_wait_for_a_person_is_folded_with_its_length() -> None:
    asked = span("1.1 pay", "tool", 1, None, status=Status.WAITING)
    drawn = timeline(task(span("a", "code", 0, 1), asked, end=None), at(7_201))
    assert "2 h 00 min" in drawn.axis
    assert 'class="fold"' in drawn.grid


@pytest.mark.parametrize("selected", [None, "fetch", "fetch/turn 1"])
def test_what_happened_within_a_node_is_drawn_when_it_is_selected(selected: str | None) -> None:
    inner = span("turn 1", "turn", 1, 3, span("model", "llm", 1, 3))
    node = span("fetch", "node", 1, 3, inner, task_id=UUID(int=7))
    root = task(span("1.1 make_plan", "tool", 0, 3, node))
    rows = timeline(root, at(10), selected).rows
    shown = ["1.1 make_plan", "fetch", *(["fetch/turn 1"] if selected else [])]
    assert [row.key for row in rows] == shown
    assert rows[1].task_id == UUID(int=7)
    assert rows[1].inner == (0 if selected else 1)
    assert [row.key for row in rows if row.is_selected] == ([selected] if selected else [])
    assert len(bars(rows[1].bars)) == 1
    assert find_span(root, "fetch/turn 1") == inner


def test_names_that_attack_the_page_are_text_and_short() -> None:
    drawn = timeline(task(span(HOSTILE, "code", 0, 1)), at(10))
    for picture in pictures(drawn):
        ElementTree.fromstring(picture)
        assert "<script" not in picture
        assert "\u202e" not in picture
        assert "style=" not in picture
        assert len(picture) < 2_000
    assert drawn.rows[0].key == HOSTILE
    assert "%3Cscript%3E" in drawn.rows[0].link


@given(
    st.lists(st.tuples(st.text(max_size=20), st.floats(-9, 9_999), st.floats(0, 999)), max_size=20),
    st.sampled_from(list(Status)),
)
def test_the_same_trace_gives_the_same_picture_which_is_well_formed(
    given_spans: list[tuple[str, float, float]], status: Status
) -> None:
    spans = [span(name, "code", at, at + took, status=status) for name, at, took in given_spans]
    root = task(*spans)
    drawn, again = timeline(root, at(50)), timeline(root, at(50))
    assert pictures(drawn) == pictures(again)
    for picture in pictures(drawn):
        ElementTree.fromstring(picture)
    assert len(drawn.rows) == len(given_spans)


def test_the_last_rows_and_bars_of_very_long_traces_are_drawn() -> None:
    attempts = [span(f"run 1, attempt {n}", "attempt", n, n + 1) for n in range(MAX_BARS + 5)]
    steps = [span(f"s{n}") for n in range(MAX_ROWS + 7)]
    drawn = timeline(task(*steps, span("last", "code", 0, 1, *attempts)), at(10))
    assert (len(drawn.rows), drawn.earlier) == (MAX_ROWS, 8)
    assert len(bars(drawn.rows[-1].bars)) == MAX_BARS


def test_three_hundred_steps_are_drawn_at_once() -> None:
    steps = [
        span(f"s{n}", "code", n, n + 2, *(span("run 1, attempt 1", "attempt", n, n + 2),) * 3)
        for n in range(300)
    ]
    begun = time.process_time()
    timeline(task(*steps, end=302), at(302))
    assert time.process_time() - begun < 1


def test_items_are_folded_into_the_row_of_their_step_until_it_is_selected() -> None:
    items = [
        span(f"each[{number}]", "item", number, number + 1, status=status)
        for number, status in enumerate([Status.COMPLETED, Status.FAILED, Status.COMPLETED])
    ]
    root = task(span("each", "code", 0, 3, *items, status=Status.FAILED), span("end"))
    closed = timeline(root, at(10))
    assert [(row.key, row.inner, row.note) for row in closed.rows] == [
        ("each", 3, "2/3, 1 failed"),
        ("end", 0, ""),
    ]
    assert len(bars(closed.rows[0].bars)) == 3
    for selected in ("each", "each[1]"):
        opened = timeline(root, at(10), selected)
        assert [row.key for row in opened.rows] == ["each", *(i.name for i in items), "end"]
    assert find_span(root, "each[1]") == items[1]
