"""The state behind the display of an agent, and its pictures."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue
from rich.cells import cell_len
from rich.console import Console, RenderableType

from api.cli.display.agent_displays import PlainTurns
from api.cli.display.agent_frames import commands_for, frame, summary, turn_lines
from api.cli.display.agent_progress import AgentProgress
from api.cli.display.amounts import dollars
from api.cli.display.glyphs import ASCII
from tests.growth import is_about_linear
from workflows.events import ApprovalAsked, parse
from workflows.states import Status

START = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
TASK = "0199a3c2-7f1e-4d4a-9d0b-2f6c1e8a7b55"
Event = tuple[str, dict[str, Any]]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def an_agent(*events: Event) -> AgentProgress:
    """An agent to which something happened, a second apart."""
    agent = AgentProgress(TASK, "sum up")
    for number, (kind, data) in enumerate((("task.status", {"status": "pending"}), *events)):
        take(agent, kind, data, after(number))
    return agent


def take(agent: AgentProgress | PlainTurns, kind: str, data: dict[str, Any], at: datetime) -> None:
    """As those who follow a task do: what they do not know they skip."""
    if (event := parse(kind, data)) is not None:
        agent.take(event, at)


def drawn(renderable: RenderableType, width: int = 100) -> str:
    console = Console(
        file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False, record=True
    )
    console.print(renderable, crop=False)
    return console.export_text()


def delta(text: str, turn: int = 1) -> Event:
    return "llm.delta", {"turn": turn, "text": text}


BEGUN: Event = ("turn.started", {"turn": 1})
SAID: Event = (
    "message.created",
    {"turn": 1, "seq": 3, "role": "assistant", "content": "I look.", "model": "m-1"},
)
CALLED: Event = (
    "tool.called",
    {"step": "1.1 run_code", "call_id": "c1", "tool": "run_code", "arguments": {"source": "1+1"}},
)
USED: Event = ("usage", {"turn": 1, "tokens": 1_200, "cost_usd": 0.0042})
STARTED: Event = ("step.started", {"step": "1.1 run_code", "attempt": 1})
MADE: Event = ("artifact.created", {"step": "1.1 run_code", "name": "two.csv", "size": 2_000})
DONE: Event = ("step.completed", {"step": "1.1 run_code", "duration_ms": 800})
RESULT: Event = (
    "tool.result",
    {"step": "1.1 run_code", "call_id": "c1", "ok": True, "text": "<output>\n2\n</output>"},
)
ASKED: Event = (
    "approval.asked",
    {
        "step": "1.1 run_code",
        "call_id": "c1",
        "tool": "run_code",
        "arguments": {"source": "rm"},
        "kind": "approval",
        "expires_at": after(600).isoformat(),
    },
)
QUESTION: Event = (
    "approval.asked",
    {"step": "1.2 ask_human", "call_id": "c2", "kind": "answer", "question": "Which year?"},
)


def test_text_of_the_model_is_shown_as_it_arrives() -> None:
    agent = an_agent(BEGUN, delta("I lo"), delta("ok."))
    text = drawn(frame(agent, after(3)))
    assert "sum up" in text
    assert "turn 1" in text
    assert "I look." in text


def test_text_of_a_lost_attempt_is_removed_from_the_picture() -> None:
    agent = an_agent(BEGUN, delta("I wri"), ("llm.restarted", {"turn": 1}), delta("I look."))
    text = drawn(frame(agent, after(4)))
    assert text.count("I ") == 1
    assert "asked 2 times" in text


TROUBLE: Event = (
    "llm.retrying",
    {
        "turn": 1,
        "model": "m-1",
        "error": {"code": "model-unavailable", "message": "m-1 gave no complete answer: it left."},
        "next_attempt_at": after(60).isoformat(),
    },
)


def test_why_a_model_is_asked_again_is_shown_until_it_says_something() -> None:
    text = drawn(frame(an_agent(BEGUN, TROUBLE), after(3)))
    assert "It is asked again at" in text
    assert "m-1 gave no complete answer: it left." in text
    again = ("llm.restarted", {"turn": 1})
    assert "it left" in drawn(frame(an_agent(BEGUN, TROUBLE, again), after(3)))
    for said in (delta("I"), SAID):
        assert "it left" not in drawn(frame(an_agent(BEGUN, TROUBLE, again, said), after(3)))


def test_why_the_next_model_is_asked_is_shown() -> None:
    at_once = (TROUBLE[0], {k: v for k, v in TROUBLE[1].items() if k != "next_attempt_at"})
    text = drawn(frame(an_agent(BEGUN, at_once), after(3)))
    assert "The next model is asked. m-1 gave no" in text
    assert plain_lines(BEGUN, at_once)[-1].startswith("turn 1: The next model is asked. m-1 gave")


def test_a_whole_message_takes_the_place_of_its_parts() -> None:
    assert "I look." in drawn(frame(an_agent(BEGUN, SAID), after(3)))
    agent = an_agent(BEGUN, delta("I look. And then a long tale."), SAID)
    assert "long tale" in drawn(frame(agent, after(3)))


def test_a_call_shows_arguments_files_and_result() -> None:
    agent = an_agent(BEGUN, SAID, CALLED, STARTED)
    assert agent.status_of(agent.turns[1].calls["1.1 run_code"]) is Status.RUNNING
    agent = an_agent(BEGUN, SAID, CALLED, USED, STARTED, MADE, DONE, RESULT)
    text = drawn(frame(agent, after(9)))
    assert '{"source": "1+1"}' in text
    assert "✓ run_code  0.8s" in text
    assert "↳ two.csv" in text
    assert "│ 2\n" in text
    assert "output" not in text
    assert "1,200 tokens" in text
    assert "$0.0042" in text


def test_a_call_that_failed_says_why() -> None:
    bad = ("tool.result", {"step": "1.1 no", "ok": False, "text": "There is no tool 'no'."})
    text = drawn(
        frame(an_agent(BEGUN, ("tool.called", {"step": "1.1 no", "tool": "no"}), bad), START)
    )
    assert "✗ no" in text
    assert "There is no tool" in text


def test_a_call_that_waits_for_a_person_names_the_commands_to_type() -> None:
    agent = an_agent(BEGUN, CALLED, ASKED, ("task.status", {"status": "waiting"}))
    text = drawn(frame(agent, after(3)))
    assert "1.1 run_code waiting for your approval until" in text
    assert '{"source": "rm"}' in text
    assert f"agentos approve {TASK} 1.1" in text
    assert f"agentos deny {TASK} 1.1" in text


@pytest.mark.parametrize("source", ["x" * 80, "x\u202ey"])
def test_a_call_too_long_for_a_line_names_the_command_that_shows_it(source: str) -> None:
    asked = (ASKED[0], {**ASKED[1], "arguments": {"source": source}})
    text = drawn(frame(an_agent(BEGUN, CALLED, asked), after(3)))
    assert f"agentos approvals {TASK}" in text
    assert "agentos approvals" not in drawn(frame(an_agent(BEGUN, CALLED, ASKED), after(3)))


def test_a_question_is_shown_with_the_way_to_answer_it() -> None:
    text = drawn(frame(an_agent(BEGUN, QUESTION), after(3)))
    assert "Which year?" in text
    assert f'agentos approve {TASK} 1.2 --note "your answer"' in text


@pytest.mark.parametrize(
    "event",
    [
        ("approval.decided", {"call_id": "c1", "decision": "deny"}),
        ("step.started", {"step": "1.1 run_code", "attempt": 1}),
        ("task.status", {"status": "cancelled"}),
    ],
)
def test_a_decided_or_expired_call_is_no_longer_asked_about(event: Event) -> None:
    assert an_agent(BEGUN, CALLED, ASKED, event).asked == {}


def test_a_turn_that_is_made_again_begins_without_what_was_seen_of_it() -> None:
    agent = an_agent(BEGUN, SAID, CALLED, STARTED, DONE, RESULT, ("turn.started", {"turn": 2}))
    assert list(agent.turns) == [1, 2]
    take(agent, "turn.started", {"turn": 1}, after(9))
    assert (list(agent.turns), agent.turns[1].calls, agent.steps) == ([1], {}, {})


def test_the_end_tells_what_the_agent_says_and_what_to_do_next() -> None:
    agent = an_agent(BEGUN, SAID, CALLED, STARTED, MADE, DONE, USED)
    take(agent, "task.status", {"status": "completed"}, after(12))
    agent.summary, agent.result = "Two rows.\nNo more.", {"rows": 2}
    text = drawn(summary(agent, after(12)))
    assert "✓ sum up completed in 12.0s" in text
    assert "1 turn" in text
    assert "  Two rows.\n  No more." in text
    assert '"rows": 2' in text
    assert f"agentos artifacts get {TASK}" in text
    assert f"agentos messages {TASK}" in text
    assert "retry" not in text


def test_a_bad_end_says_why_and_how_to_go_on() -> None:
    error = {"code": "turns-used-up", "message": "It used all turns.", "step": "turn 4"}
    agent = an_agent(BEGUN, ("task.status", {"status": "failed", "error": error}))
    text = drawn(summary(agent, after(2)))
    assert "It used all turns." in text
    assert f"agentos retry {TASK}" in text


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("turn.started", {}),
        ("turn.started", {"turn": "x"}),
        ("llm.delta", {"turn": 1, "text": 3}),
        ("llm.dreamt", {"turn": 1}),
        ("tool.called", {"step": 3}),
        ("tool.vanished", {"step": "1.1 x"}),
        ("approval.asked", {"call_id": "c"}),
        ("approval.decided", {}),
        ("usage", {"turn": 1, "tokens": "many"}),
        ("message.created", {"turn": None}),
    ],
)
def test_what_a_newer_server_says_breaks_nothing(kind: str, data: dict[str, JsonValue]) -> None:
    agent = an_agent(BEGUN, (kind, data))
    assert drawn(frame(agent, after(3)))
    assert list(agent.turns) == [1]


def test_a_model_that_talks_without_end_costs_little_and_keeps_little() -> None:
    agent = an_agent(BEGUN)

    def talk(pieces: int) -> None:
        for _ in range(pieces):
            take(agent, "llm.delta", {"turn": 1, "text": "word " * 16}, START)

    assert is_about_linear(talk, 5_000)
    assert len(agent.turns[1].text) < 40_000


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
EVENTS = st.one_of(
    st.sampled_from([BEGUN, SAID, CALLED, STARTED, MADE, DONE, RESULT, ASKED, QUESTION, USED]),
    st.builds(delta, HOSTILE),
    st.builds(
        lambda text: ("tool.called", {"step": "1.2 x", "tool": text, "arguments": text}), HOSTILE
    ),
    st.builds(lambda text: ("tool.result", {"step": "1.2 x", "ok": False, "text": text}), HOSTILE),
    st.builds(
        lambda text: (
            "approval.asked",
            {"step": text, "call_id": text, "arguments": {"a": text}, "question": text},
        ),
        HOSTILE,
    ),
)


@given(st.lists(EVENTS, max_size=12), st.integers(30, 160), st.integers(3, 30))
def test_a_picture_stays_within_the_terminal_and_obeys_nobody(
    events: list[Event], width: int, height: int
) -> None:
    agent = an_agent(*events)
    picture = frame(agent, after(20), width=width, height_lines=height)
    lines = drawn(picture, width).splitlines()
    assert len(picture.renderables) <= height
    commands = [line for line in lines if "agentos " in line]
    assert all(cell_len(line) <= width for line in lines if line not in commands)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", "\n".join(lines))


@given(HOSTILE, HOSTILE)
@example(step="\u00b2", call_id="")  # A digit to Unicode.
def test_a_command_to_type_names_nothing_that_a_model_chose(step: str, call_id: str) -> None:
    asked = ApprovalAsked(step=step, call_id="c1")
    for command in commands_for(TASK, step, asked):
        assert re.fullmatch(rf"agentos (approve|deny) {TASK} ([0-9.]+|c1)", command)


def test_a_terminal_without_unicode_gets_none_of_an_agent() -> None:
    agent = an_agent(BEGUN, SAID, CALLED, STARTED, MADE, DONE, RESULT, ASKED)
    assert all(part.plain.isascii() for part in turn_lines(agent, agent.turns[1], START, ASCII))


def plain_lines(*events: Event, latest_run: int = 1) -> list[str]:
    """What is printed of events, without the times."""
    file = io.StringIO()
    console = Console(file=file, width=1_000, markup=False, highlight=False)
    plain = PlainTurns(AgentProgress(TASK, "sum up", latest_run=latest_run), console)
    for number, (kind, data) in enumerate([("task.status", {"status": "pending"}), *events]):
        take(plain, kind, data, after(number))
    return [line.partition("] ")[2] or line for line in file.getvalue().splitlines()]


def test_plain_lines_show_that_a_model_is_asked_again() -> None:
    again = plain_lines(BEGUN, ("llm.restarted", {"turn": 1}))[-1]
    assert again == "turn 1: the model is asked again"


def test_plain_lines_do_not_repeat_earlier_runs() -> None:
    failed: Event = ("task.status", {"status": "failed"})
    pending: Event = ("task.status", {"status": "pending"})
    first_run = (BEGUN, SAID, CALLED, ASKED, failed)
    again: Event = ("turn.started", {"turn": 2})
    assert plain_lines(*first_run, pending, again, latest_run=2) == ["sum up: pending", "turn 2"]
    assert plain_lines(*first_run, latest_run=2) == []


def test_plain_lines_show_a_call_without_arguments() -> None:
    call: Event = ("tool.called", {"step": "1.1 list_files", "tool": "list_files"})
    assert plain_lines(BEGUN, call)[-1] == "1.1 list_files: called"


@pytest.mark.parametrize(
    ("decided", "told"),
    [
        ({"decision": "approve", "note": None}, "approved"),
        ({"decision": "approve", "note": "last year's"}, "approved: last year's"),
        ({"decision": "deny", "note": "no"}, "denied: no"),
    ],
)
def test_plain_lines_show_a_decision_with_its_note(decided: dict[str, str], told: str) -> None:
    event: Event = ("approval.decided", {"step": "1.1 run_code", "call_id": "c1", **decided})
    assert plain_lines(BEGUN, SAID, CALLED, ASKED, event)[-1] == f"1.1 run_code: {told}"


def test_plain_lines_show_each_event_of_an_agent() -> None:
    events = [BEGUN, delta("I l"), SAID, CALLED, ASKED, USED, STARTED, MADE, DONE, RESULT, QUESTION]
    assert plain_lines(*events) == [
        "sum up: pending",
        "turn 1",
        "turn 1: I look.",
        '1.1 run_code: {"source": "1+1"}',
        '1.1 run_code: waiting for your approval: {"source": "rm"}',
        f"          agentos approve {TASK} 1.1",
        f"          agentos deny {TASK} 1.1",
        "turn 1: 1,200 tokens so far, $0.0042",
        "1.1 run_code: made two.csv, 2.0 kB",
        "1.1 run_code: done: 2",
        "1.2 ask_human: asks you: Which year?",
        f'          agentos approve {TASK} 1.2 --note "your answer"',
        f"          agentos deny {TASK} 1.2",
    ]


@pytest.mark.parametrize(
    ("amount", "shown"), [(12.3, "$12.30"), (0.00421, "$0.0042"), (1, "$1.00")]
)
def test_a_small_amount_is_shown_with_more_digits(amount: float, shown: str) -> None:
    assert dollars(amount) == shown
