"""The state behind the display of a plan, and its pictures."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from api.cli.display.glyphs import ASCII
from api.cli.display.plan_displays import PlainPlan
from api.cli.display.plan_frames import frame, summary
from api.cli.display.plan_progress import PlanProgress
from api.cli.display.plan_tree import TreeNode, tree_lines
from workflows.events import parse
from workflows.states import Status

START = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
TASK = "0199a3c2-7f1e-4d4a-9d0b-2f6c1e8a7b55"
ERROR = {"code": "script-failed", "message": "It failed."}
Event = tuple[str, dict[str, Any]]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_plan(*events: Event) -> PlanProgress:
    """A plan to which something happened, a second apart."""
    plan = PlanProgress(TASK, "both files")
    for number, (kind, data) in enumerate((("task.status", {"status": "pending"}), *events)):
        take(plan, kind, data, after(number))
    return plan


def take(plan: PlanProgress | PlainPlan, kind: str, data: dict[str, Any], at: datetime) -> None:
    if (event := parse(kind, data)) is not None:
        plan.take(event, at)


def drawn(renderable: RenderableType, width: int = 100) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False, record=True
    )
    console.print(renderable, crop=False)
    return console.export_text().splitlines()


def node(name: str, *depends_on: str, kind: str = "agent") -> dict[str, Any]:
    return {"id": name, "title": f"Do {name}", "kind": kind, "depends_on": [*depends_on]}


PENDING: Event = ("task.status", {"status": "pending"})
RUNNING: Event = ("task.status", {"status": "running"})
TURN: Event = ("turn.started", {"turn": 1})
SAID: Event = (
    "message.created",
    {"turn": 1, "seq": 3, "role": "assistant", "content": "I split it.", "model": "m-1"},
)
OPENED: Event = (
    "plan.opened",
    {"seq": 4, "nodes": [node("a"), node("b"), node("join", "a", "b", kind="reasoning")]},
)
CALLED: Event = (
    "tool.called",
    {"step": "1.1 make_plan", "call_id": "c", "tool": "make_plan", "arguments": '{"nodes": [{'},
)
A_STARTED: Event = ("node.started", {"node": "a", "number": 1})
B_STARTED: Event = ("node.started", {"node": "b", "number": 2})
A_DONE: Event = ("node.ended", {"node": "a", "status": "completed"})
B_FAILED: Event = ("node.ended", {"node": "b", "status": "blocked", "error": ERROR})

_ENDED: Event = ("task.status", {"status": "blocked", "error": ERROR})


def asked(**more: Any) -> Event:
    nodes = [
        {"id": "a", "title": "Do a", "description": "x"},
        {"id": "b", "title": "Do b", "description": "x", "depends_on": ["a"]},
    ]
    data = {
        "step": "1.1 make_plan",
        "call_id": "c1",
        "ask_id": "3f2a91c0-0000-0000-0000-000000000000",
        "tool": "make_plan",
        "arguments": {"nodes": nodes, "reason": "r"},
        "expires_at": after(600).isoformat(),
    }
    return "approval.asked", {**data, **more}


# The tree.


def test_a_node_stands_below_the_one_that_it_waits_for() -> None:
    nodes = [
        TreeNode("a", status=Status.COMPLETED, took="1.2s"),
        TreeNode("b", status=Status.RUNNING),
        TreeNode("join", "Put together", "reasoning", ("a", "b")),
        TreeNode("check", depends_on=("join",)),
        TreeNode("apart", depends_on=("b",), status=Status.FAILED, note="It failed."),
    ]
    assert [str(line).rstrip() for line in tree_lines(nodes)] == [
        "  ✓ a            1.2s",
        "  ⠋ b",
        "  ├─ · join      Put together · reasoning · also after a",
        "  │  └─ · check",
        "  └─ ✗ apart       It failed.",
    ]


def test_what_a_node_waits_for_is_named_once() -> None:
    nodes = [
        TreeNode("a"),
        TreeNode("b"),
        TreeNode("c", depends_on=("a",)),
        TreeNode("join", depends_on=("a", "b", "c")),
    ]
    assert drawn_tree(nodes)[2].endswith("also after b")


def test_the_tree_has_signs_that_every_terminal_has() -> None:
    nodes = [TreeNode("a"), TreeNode("b", depends_on=("a",)), TreeNode("c", depends_on=("a",))]
    lines = [str(line).rstrip() for line in tree_lines(nodes, ASCII)]
    assert lines == ["  . a", "  |- . b", "  `- . c"]


def test_a_node_that_a_revision_left_out_says_so() -> None:
    [line] = tree_lines([TreeNode("a", note="It failed.", status=Status.FAILED, is_out=True)])
    assert "left out when the plan was revised" in str(line)
    assert "It failed." not in str(line)


def test_a_long_chain_stays_on_the_terminal() -> None:
    nodes = [TreeNode(f"n{i}", depends_on=[f"n{i - 1}"] if i else []) for i in range(50)]
    lines = drawn_tree(nodes)
    assert all(len(line) < 60 for line in lines)
    assert [line.split("·")[1].split()[0] for line in lines] == [node.id for node in nodes]
    assert lines[8].endswith("after n7")


def drawn_tree(nodes: list[TreeNode], **options: Any) -> list[str]:
    return [str(line).rstrip() for line in tree_lines(nodes, **options)]


def test_what_has_little_room_shows_what_runs_or_failed() -> None:
    states = (Status.COMPLETED, Status.RUNNING, Status.PENDING, Status.FAILED, Status.PENDING)
    nodes = [TreeNode(f"n{index}", status=status) for index, status in enumerate(states)]
    lines = drawn_tree(nodes, most_lines=3)
    assert [line.split()[1] for line in lines] == ["n1", "n3", "3"]
    assert lines[-1] == "  and 3 more"


@given(
    st.lists(st.lists(st.integers(0, 12), max_size=4), max_size=13),
    st.none() | st.integers(1, 20),
)
def test_every_node_has_one_line_however_they_wait_for_each_other(
    awaited: list[list[int]], most_lines: int | None
) -> None:
    """Also for each other in a circle, or for nodes that are not there."""
    nodes = [
        TreeNode(f"n{index}", depends_on=[f"n{other}" for other in others])
        for index, others in enumerate(awaited)
    ]
    lines = drawn_tree(nodes, most_lines=most_lines)
    if most_lines is None or len(nodes) <= most_lines:
        assert sorted(line.split("·")[1].split()[0] for line in lines) == sorted(
            node.id for node in nodes
        )
    else:
        assert len(lines) == most_lines


def test_control_characters_of_a_node_are_shown_and_not_obeyed() -> None:
    nodes = [TreeNode("a\x1b[2J", "ti\ntle", "ki\x07nd", note="no\rte", status=Status.FAILED)]
    [line] = drawn_tree(nodes)
    for text in ("a\\x1b[2J", "ti\\x0atle", "ki\\x07nd", "no\\x0dte"):
        assert text in line


# The picture.


def test_a_plan_that_is_being_made_shows_what_its_planner_says() -> None:
    lines = drawn(
        frame(a_plan(RUNNING, TURN, ("llm.delta", {"turn": 1, "text": "I spl"})), after(4))
    )
    assert "both files  running · planning · 4.0s" in lines[0]
    assert "I spl" in "\n".join(lines)


def test_a_plan_that_waits_for_approval_is_not_said_to_be_planning() -> None:
    waiting: Event = ("task.status", {"status": "waiting"})
    lines = drawn(frame(a_plan(RUNNING, TURN, SAID, asked(), waiting), after(4)))
    assert "both files  waiting · waiting for approval · 4.0s" in lines[0]


def test_nodes_are_shown_with_the_states_that_they_are_in() -> None:
    plan = a_plan(RUNNING, TURN, SAID, OPENED, A_STARTED, B_STARTED, A_DONE)
    lines = drawn(frame(plan, after(9)))
    assert "both files  running · 1/3 nodes · 9.0s" in lines[0]
    assert lines[1].split() == ["✓", "a", "Do", "a", "·", "2.0s"]
    assert "b" in lines[2]
    assert lines[2].endswith("3.0s")
    assert "└─ · join" in lines[3]
    assert len(lines) == 4  # The planner has nothing to say meanwhile.


def test_the_planner_is_shown_again_once_it_is_asked_again() -> None:
    again = ("turn.started", {"turn": 2})
    said = ("llm.delta", {"turn": 2, "text": "All is done."})
    plan = a_plan(RUNNING, TURN, SAID, OPENED, A_STARTED, A_DONE, again, said)
    text = "\n".join(drawn(frame(plan, after(9))))
    assert "✓ a" in text
    assert "turn 2" in text
    assert "All is done." in text


def test_a_revised_plan_keeps_what_is_done_and_has_the_nodes_that_it_has_now() -> None:
    revised = ("plan.opened", {"seq": 6, "nodes": [node("a"), node("c"), node("join", "a", "c")]})
    plan = a_plan(RUNNING, OPENED, A_STARTED, B_STARTED, A_DONE, B_FAILED, revised)
    assert {name: item.status for name, item in plan.nodes.items()} == {
        "a": Status.COMPLETED,
        "c": Status.PENDING,
        "join": Status.PENDING,
    }
    assert plan.nodes["join"].plan.depends_on == ("a", "c")


def test_a_plan_that_is_made_anew_knows_nothing_of_nodes_of_before() -> None:
    again = ("task.status", {"status": "pending"})
    plan = a_plan(OPENED, A_STARTED, A_DONE, B_FAILED, _ENDED, again, RUNNING, OPENED)
    assert {node.status for node in plan.nodes.values()} == {Status.PENDING}


def test_a_node_that_runs_again_has_no_earlier_end() -> None:
    plan = a_plan(RUNNING, OPENED, B_STARTED, B_FAILED, B_STARTED)
    assert (plan.nodes["b"].status, plan.nodes["b"].error) == (Status.RUNNING, None)
    assert plan.nodes["b"].ended_at is None


def test_nodes_that_were_planned_before_one_looked_are_shown_by_name() -> None:
    lines = drawn(
        frame(a_plan(RUNNING, B_STARTED, ("node.ended", {"node": "z", "status": "new"})), after(5))
    )
    assert "b" in lines[1]
    assert "? z" in lines[2]


def test_a_cancelled_plan_has_no_node_that_runs() -> None:
    plan = a_plan(RUNNING, OPENED, A_STARTED, ("task.status", {"status": "cancelled"}))
    assert plan.nodes["a"].status is Status.CANCELLED
    assert plan.nodes["b"].status is Status.PENDING


def test_the_next_run_keeps_the_nodes_that_are_completed() -> None:
    ended: Event = ("task.status", {"status": "blocked"})
    again: Event = ("task.status", {"status": "pending"})
    plan = a_plan(RUNNING, OPENED, A_STARTED, B_STARTED, A_DONE, B_FAILED, ended, again)
    states = [(node.status, node.error) for node in plan.nodes.values()]
    assert states == [(Status.COMPLETED, None), (Status.PENDING, None), (Status.PENDING, None)]


@pytest.mark.parametrize("height", range(1, 12))
def test_a_picture_fits_the_height_of_the_terminal(height: int) -> None:
    plan = a_plan(RUNNING, OPENED, A_STARTED, ("turn.started", {"turn": 2}), asked())
    assert len(drawn(frame(plan, after(5), height_lines=height))) <= height


def test_a_plan_that_waits_is_shown_with_what_can_be_answered() -> None:
    lines = drawn(frame(a_plan(RUNNING, TURN, SAID, asked()), after(5)), width=140)
    text = "\n".join(lines)
    assert "1.1 make_plan waiting for you to approve 2 nodes until " in text
    assert "    · a" in text
    assert "    └─ · b" in text
    for command in (
        f"    agentos approve {TASK} 3f2a91c0",
        f'    agentos deny {TASK} 3f2a91c0 --note "what to change"',
        f"    agentos plan {TASK} -o plan.yaml",
        f"    agentos approve {TASK} 3f2a91c0 --nodes plan.yaml",
    ):
        assert command in text
    decided = ("approval.decided", {"call_id": "c1", "decision": "approve"})
    assert "approve" not in "\n".join(drawn(frame(a_plan(RUNNING, asked(), decided), after(5))))


def test_a_plan_too_long_for_an_event_is_shown_elsewhere() -> None:
    text = "\n".join(drawn(frame(a_plan(RUNNING, asked(arguments='{"nodes": [{"id": ')), after(5))))
    assert f"agentos approve {TASK} 3f2a91c0" in text


# The end.


def test_the_end_of_a_plan_says_which_node_failed_and_what_to_do() -> None:
    blocked = ("task.status", {"status": "blocked", "error": {**ERROR, "step": "b"}})
    text = "\n".join(
        drawn(summary(a_plan(RUNNING, OPENED, B_STARTED, B_FAILED, blocked), after(9)))
    )
    assert "✗ both files is blocked after 5.0s  0/3 nodes" in text
    assert "It failed." in text
    assert f"agentos show {TASK}" in text
    assert f"agentos logs {TASK} --step b" in text
    assert f"agentos retry {TASK} --from b" in text


def test_the_end_of_a_plan_is_what_its_planner_has_written() -> None:
    plan = a_plan(RUNNING, OPENED, A_STARTED, A_DONE, ("task.status", {"status": "completed"}))
    plan.summary, plan.result = "Both are clean.", {"rows": 3}
    text = "\n".join(drawn(summary(plan, after(9))))
    assert "  Both are clean." in text
    assert '"rows": 3' in text
    assert f"agentos artifacts get {TASK}" in text
    assert "retry" not in text


# Lines.


def plain_lines(*events: Event) -> list[str]:
    console = Console(file=io.StringIO(), width=200, record=True)
    lines = PlainPlan(PlanProgress(TASK, "both files"), console)
    for number, (kind, data) in enumerate(events):
        take(lines, kind, data, after(number))
    return console.export_text().splitlines()


def test_elsewhere_a_line_tells_of_each_node() -> None:
    lines = plain_lines(
        *(("task.status", {"status": "pending"}), CALLED),
        *(OPENED, A_STARTED, B_STARTED, A_DONE, B_FAILED),
    )
    assert [line.partition("] ")[2] for line in lines] == [
        "both files: pending",
        "plan: 3 nodes",
        "plan: a (agent): Do a",
        "plan: b (agent): Do b",
        "plan: join (reasoning), after a, b: Do join",
        "a: started",
        "b: started",
        "a: completed after 2.0s",
        "b: blocked after 2.0s: It failed.",
    ]


def opened(seq: int, *nodes: dict[str, Any]) -> Event:
    return ("plan.opened", {"seq": seq, "nodes": [*nodes]})


def test_elsewhere_only_what_a_revision_changes_is_printed_again() -> None:
    first = opened(4, node("a"), node("b"), node("c", "b"), node("d"))
    lines = plain_lines(
        *(PENDING, first),
        opened(8, node("a"), node("c", "b2"), node("b2", "a", kind="reasoning")),
    )
    assert [line.partition("] ")[2] for line in lines[6:]] == [
        "plan revised: added b2; dropped b, d; rewired c",
        "plan: b2 (reasoning), after a: Do b2",
        "plan: c (agent), after b2: Do c",
    ]


def test_elsewhere_a_revision_that_changes_nothing_is_one_line() -> None:
    lines = plain_lines(PENDING, OPENED, opened(8, *OPENED[1]["nodes"]))
    assert [line.partition("] ")[2] for line in lines[5:]] == ["plan revised: the same nodes"]


def test_elsewhere_a_plan_that_is_made_anew_is_printed_whole() -> None:
    lines = plain_lines(PENDING, OPENED, opened(4, node("a"), node("b")))
    assert [line.partition("] ")[2] for line in lines[5:]] == [
        "plan: 2 nodes",
        "plan: a (agent): Do a",
        "plan: b (agent): Do b",
    ]


REPORT = "All nodes have completed.\n\na (Do a): completed\n<output>\nClean.\n</output>"


@pytest.mark.parametrize("tool", ["make_plan", "revise_plan"])
def test_the_result_of_a_plan_is_its_heading(tool: str) -> None:
    called = ("tool.called", {"step": f"1.1 {tool}", "call_id": "c", "tool": tool})
    told = ("tool.result", {"step": f"1.1 {tool}", "call_id": "c", "text": REPORT})
    lines = plain_lines(PENDING, told)
    assert lines[-1].endswith(f"] 1.1 {tool}: done: All nodes have completed.")
    plan = a_plan(RUNNING, TURN, called, told)
    text = "\n".join(drawn(frame(plan, after(9))))
    assert "All nodes have completed." in text
    assert "Clean." not in text


def test_a_plan_that_was_refused_and_results_of_other_calls_are_told_as_they_are() -> None:
    refused = {"step": "1.1 make_plan", "ok": False, "text": "No.\n\n/nodes: too many"}
    other = {"step": "1.1 list_skills", "text": "greet\n\ncount"}
    lines = plain_lines(PENDING, ("tool.result", refused), ("tool.result", other))
    assert lines[1].endswith("failed: No. /nodes: too many")
    assert lines[2].endswith("done: greet count")


def test_elsewhere_a_plan_that_waits_is_printed_with_the_commands() -> None:
    lines = plain_lines(("task.status", {"status": "pending"}), asked())
    text = "\n".join(lines)
    assert "1.1 make_plan: waiting for you to approve 2 nodes" in lines[1]
    assert f"agentos approve {TASK} 3f2a91c0 --nodes plan.yaml" in text
    assert "└─ · b" in text
