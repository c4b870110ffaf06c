"""The graph of a plan or a pipeline."""

import re
import time
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.graph import Node, graph, nodes_of_pipeline, nodes_of_plan
from api.web.drawing.layers import BOX_HEIGHT, BOX_WIDTH, layout
from api.wire.responses.plans import PlanBudget, PlanNode, PlanOfTask
from api.wire.responses.tasks import SubTask
from workflows.states import NodeKind, Size, Status

NOW = datetime(2026, 11, 29, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\u202eevil\x00\ud800" + "漢" * 2_000
Edges = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    count = draw(st.integers(1, 50))
    node = st.integers(0, count - 1)
    return count, draw(st.lists(st.tuples(node, node), max_size=3 * count))


@given(graphs())
@example((3, [(0, 1), (1, 2), (2, 0)]))
@example((50, [(a, b) for a, b in combinations(range(50), 2)]))
def test_boxes_do_not_overlap_and_edges_lead_down(drawn: tuple[int, Edges]) -> None:
    count, edges = drawn
    placed = layout(count, edges)
    assert len(placed.boxes) == count
    for one, other in combinations(placed.boxes, 2):
        apart = abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
        assert apart, (one, other)
    for line in placed.lines:
        assert placed.boxes[line.source].y < placed.boxes[line.target].y
        assert all(lower.y > upper.y for upper, lower in pairwise(line.points))
    for box in placed.boxes:
        assert box.x >= -0.01
        assert box.x + BOX_WIDTH <= placed.width + 0.01
        assert box.y + BOX_HEIGHT <= placed.height + 0.01


@given(graphs())
def test_no_line_runs_through_a_box(drawn: tuple[int, Edges]) -> None:
    placed = layout(*drawn)
    for line in placed.lines:
        own = {line.source, line.target}
        others = [box for number, box in enumerate(placed.boxes) if number not in own]
        for point in line.points:
            for box in others:
                is_beside = not box.x - 1 < point.x < box.x + BOX_WIDTH + 1
                assert is_beside or not box.y <= point.y <= box.y + BOX_HEIGHT


def test_an_edge_that_says_only_what_others_say_is_not_drawn() -> None:
    placed = layout(3, [(0, 1), (1, 2), (0, 2)])
    assert [(line.source, line.target) for line in placed.lines] == [(0, 1), (1, 2)]


def test_nodes_that_could_stand_without_a_crossing_do() -> None:
    placed = layout(4, [(0, 3), (1, 2)])
    assert (placed.boxes[0].x < placed.boxes[1].x) == (placed.boxes[3].x < placed.boxes[2].x)


_NAME, _STATE = st.text(max_size=60), st.sampled_from(list(Status))
_NODE = st.tuples(_NAME, _STATE, st.lists(st.text(max_size=3)))


@given(st.lists(_NODE, unique_by=lambda node: node[0], max_size=12))
def test_the_picture_is_well_formed_has_every_node_once_and_is_always_the_same(
    given_nodes: list[tuple[str, Status, list[str]]],
) -> None:
    nodes = [Node(name, name, status, waits) for name, status, waits in given_nodes]
    drawn = graph(nodes, NOW)
    assert drawn == graph(nodes, NOW)
    root = ElementTree.fromstring(drawn)
    links = list(root.iter("a"))
    assert len(links) == len(nodes)
    assert len({link.attrib["href"] for link in links}) == len(nodes)


def test_names_that_attack_the_page_are_text_and_short() -> None:
    drawn = graph([Node(HOSTILE, HOSTILE, Status.FAILED)], NOW)
    root = ElementTree.fromstring(drawn)
    assert "<script" not in drawn
    assert "\u202e" not in drawn
    assert "style=" not in drawn
    [name] = [each for each in root.iter("text") if each.get("class") == "node-name"]
    assert name.text is not None
    assert len(name.text) <= 24


def test_a_node_says_its_name_state_and_time_and_is_selected_by_a_link() -> None:
    node = Node("n", "Sum up", Status.COMPLETED, (), NOW - timedelta(seconds=90), NOW)
    drawn = graph([node], NOW, "n")
    assert "<title>Sum up: completed · 1 min 30 s</title>" in drawn
    assert 'href="?step=n" aria-current="true"' in drawn
    assert "✓" in drawn


def test_the_steps_of_a_pipeline_follow_each_other() -> None:
    steps = [sub_task(name) for name in ("load", "clean", "plot")]
    nodes = nodes_of_pipeline(steps)
    assert [list(node.waits_for) for node in nodes] == [[], ["load"], ["clean"]]
    assert len(re.findall(r'class="edge', graph(nodes, NOW))) == 2


def test_steps_that_name_others_wait_for_these_only() -> None:
    nodes = nodes_of_pipeline([sub_task("a"), sub_task("b"), sub_task("c", "a", "b")])
    assert [list(node.waits_for) for node in nodes] == [[], [], ["a", "b"]]


def test_a_node_that_is_left_out_says_so() -> None:
    node = PlanNode(
        id="n",
        title="",
        description="",
        kind=NodeKind.AGENT,
        depends_on=["gone"],
        inputs={},
        output_schema=None,
        files=[],
        skills=None,
        tools=None,
        size=Size.SMALL,
        status=Status.FAILED,
        error=None,
        is_out=True,
    )
    none = PlanBudget(tokens=None, cost_usd=None, seconds=None)
    plan = PlanOfTask(nodes=[node], revisions=[], estimate=none, spent=none)
    drawn = graph(nodes_of_plan(plan), NOW)
    assert "n: left out" in drawn
    assert "is-out" in drawn


def test_a_plan_with_every_possible_edge_is_drawn_at_once() -> None:
    names = [f"n{number}" for number in range(50)]
    nodes = [Node(name, name, Status.PENDING, names[:number]) for number, name in enumerate(names)]
    wide = [Node(name, name, Status.PENDING, names[:25]) for name in names[25:]]
    begun = time.process_time()
    graph(nodes, NOW)
    graph([*nodes[:1], *wide], NOW)
    assert time.process_time() - begun < 2


def sub_task(name: str, *dependencies: str) -> SubTask:
    return SubTask.model_validate(
        {
            "id": "00000000-0000-0000-0000-000000000001",
            "name": name,
            "type": "code",
            "status": "pending",
            "phase": None,
            "order": 1,
            "dependencies": list(dependencies),
            "exit_code": None,
            "refused": [],
            "error": None,
            "retry_count": 0,
            "next_attempt_at": None,
            "worker_id": None,
            "started_at": None,
            "finished_at": None,
        }
    )
