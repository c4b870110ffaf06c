"""What is wrong with the nodes of a plan."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import dependencies_of, problems_of, sinks

ANY: dict[str, Any] = {"title": "Any", "description": "Do something."}
CLEAN: dict[str, Any] = {**ANY, "id": "clean", "files": ["clean.csv"]}


def nodes(*documents: dict[str, Any]) -> list[Node]:
    return [Node.model_validate({**ANY, **document}) for document in documents]


def test_nodes_that_hand_each_other_files_are_sound() -> None:
    plan = nodes(
        {**CLEAN, "inputs": {"sales": "${inputs.sales}"}},
        {"id": "report", "inputs": {"rows": "${nodes.clean.files['clean.csv']}"}},
    )
    assert problems_of(plan, Plan(), {"sales"}) == []
    assert dependencies_of(plan[1]) == {"clean"}
    assert [node.id for node in sinks(plan)] == ["report"]


STEPS = [{"id": "a", "skill": "text-extract", "args": ["${inputs.text}"]}]

BAD: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "no node at all": ([], "/nodes", "at least one node"),
    "more nodes than allowed": (
        [{"id": f"n{number}"} for number in range(9)],
        "/nodes",
        "9 nodes are more than the 8 allowed",
    ),
    "one id twice": ([{"id": "a"}, {"id": "a"}], "/nodes/1/id", "also the id of node 0"),
    "a dependency on nothing": (
        [{"id": "a", "depends_on": ["b"]}],
        "/nodes/0/depends_on/0",
        "there is no node 'b' (nodes: a)",
    ),
    "a dependency on itself": (
        [{"id": "a", "depends_on": ["a"]}],
        "/nodes/0/depends_on/0",
        "cannot wait for itself",
    ),
    "a circle": (
        [{"id": "a", "depends_on": ["b"]}, {"id": "b", "depends_on": ["a"]}],
        "/nodes",
        "in a circle: ",
    ),
    "a circle by files": (
        [
            {**CLEAN, "depends_on": ["report"]},
            {"id": "report", "inputs": {"rows": "${nodes.clean.files['clean.csv']}"}},
        ],
        "/nodes",
        "in a circle: ",
    ),
    "an input that the task does not have": (
        [{"id": "a", "inputs": {"x": "${inputs.absent}"}}],
        "/nodes/0/inputs/x",
        "the task has no input 'absent' (inputs: text)",
    ),
    "a file of no node": (
        [{"id": "a", "inputs": {"x": "${nodes.b.files['b.csv']}"}}],
        "/nodes/0/inputs/x",
        "there is no node 'b'",
    ),
    "a file that its node does not make": (
        [CLEAN, {"id": "a", "inputs": {"x": "${nodes.clean.files['b.csv']}"}}],
        "/nodes/1/inputs/x",
        "node 'clean' does not say that it makes 'b.csv' (its files: clean.csv)",
    ),
    "a file of its own": (
        [{**CLEAN, "inputs": {"x": "${nodes.clean.files['clean.csv']}"}}],
        "/nodes/0/inputs/x",
        "a file of its own",
    ),
    "an input that is text": (
        [{"id": "a", "inputs": {"x": "the cleaned file"}}],
        "/nodes/0/inputs/x",
        "one reference and nothing else",
    ),
    "an input with text around it": (
        [{"id": "a", "inputs": {"x": "see ${inputs.text}"}}],
        "/nodes/0/inputs/x",
        "one reference and nothing else",
    ),
    "a reference that is not closed": (
        [{"id": "a", "inputs": {"x": "${inputs.text"}}],
        "/nodes/0/inputs/x",
        "one reference and nothing else",
    ),
    "a step's output as a file": (
        [CLEAN, {"id": "a", "inputs": {"x": "${steps.clean.stdout}"}}],
        "/nodes/1/inputs/x",
        "one reference and nothing else",
    ),
    "an agent that is told nothing": (
        [{"id": "a", "description": " "}],
        "/nodes/0/description",
        "say what the node has to do",
    ),
    "a pipeline without steps": (
        [{"id": "a", "kind": "pipeline"}],
        "/nodes/0/steps",
        "needs steps",
    ),
    "an agent with steps": ([{"id": "a", "steps": STEPS}], "/nodes/0/steps", "has no steps"),
    "a pipeline with a fault inside": (
        [{"id": "a", "kind": "pipeline", "steps": STEPS, "inputs": {}}],
        "/nodes/0/steps/0/args/0",
        "there is no input 'text'",
    ),
    "a pipeline with a schema": (
        [
            {
                "id": "a",
                "kind": "pipeline",
                "steps": STEPS,
                "inputs": {"text": "${inputs.text}"},
                "output_schema": {},
            }
        ],
        "/nodes/0/output_schema",
        "a pipeline has files",
    ),
    "reasoning with tools": (
        [{"id": "a", "kind": "reasoning", "tools": ["run_code"]}],
        "/nodes/0/tools",
        "is given no tools",
    ),
    "reasoning with files": (
        [{"id": "a", "kind": "reasoning", "files": ["a.md"]}],
        "/nodes/0/files",
        "makes no files",
    ),
    "reasoning over files": (
        [{"id": "a", "kind": "reasoning", "inputs": {"x": "${inputs.text}"}}],
        "/nodes/0/inputs",
        "reads no files",
    ),
    "two inputs that would be one variable": (
        [{"id": "a", "inputs": {"x": "${inputs.text}", "X": "${inputs.text}"}}],
        "/nodes/0/inputs/X",
        "it and 'x' would both be INPUT_X",
    ),
    "a plan within a plan that is deep enough": (
        [{"id": "a", "kind": "plan"}],
        "/nodes/0/kind",
        "cannot be split once more",
    ),
    "one file twice": ([{"id": "a", "files": ["x", "x"]}], "/nodes/0/files/1", "named twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_plan_is_refused_with_the_place_and_the_reason(name: str) -> None:
    documents, pointer, message = BAD[name]
    [problem] = problems_of(nodes(*documents), Plan(), {"text"})
    assert problem.pointer == pointer
    assert message in problem.message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    plan = nodes({"id": "a", "depends_on": ["x", "a"]}, {"id": "a", "kind": "pipeline"})
    assert len(problems_of(plan, Plan(), ())) == 4


def test_a_node_may_be_split_where_the_plan_is_allowed_to() -> None:
    assert problems_of(nodes({"id": "a", "kind": "plan"}), Plan(depth=2), ()) == []


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": st.sampled_from("abcd"),
                "depends_on": st.lists(st.sampled_from("abcde"), max_size=3),
            }
        ),
        max_size=6,
    )
)
def test_what_is_accepted_can_be_put_in_order(documents: list[dict[str, Any]]) -> None:
    plan = nodes(*documents)
    if problems_of(plan, Plan(), ()):
        return
    done: set[str] = set()
    while len(done) < len(plan):
        ready = {node.id for node in plan if dependencies_of(node) <= done} - done
        assert ready
        done |= ready
