"""How what a node has given gets to those that wait for it."""

from uuid import UUID

import pytest

from activities.plans.dataflow import OUTPUT_FILE, RESULT_CHARACTERS, Result, long_outputs
from activities.store.reading.plans import NodeFile
from tests.unit.activities.plans.test_revise_plan import node, stored
from workflows.definitions.inputs import environment_name
from workflows.definitions.plan import Node
from workflows.states import Status

LONG = "x" * (RESULT_CHARACTERS + 1)


def results_of(*names: str) -> tuple[list[Result], list[NodeFile]]:
    """Results of nodes of these names that no prompt can hold, and the files that they are in."""
    nodes = [
        stored(number, Status.COMPLETED, node(name)) for number, name in enumerate(names, start=1)
    ]
    files = [
        NodeFile(UUID(int=50 + each.number), each.id, OUTPUT_FILE, 1, "application/json", "0")
        for each in nodes
    ]
    return [Result(each, LONG, None, ()) for each in nodes], files


@pytest.mark.parametrize(
    "names",
    [
        (f"{'a' * 60}-x", f"{'a' * 60}-y"),
        ("clean-up", "clean_up"),
        ("Clean", "clean"),
        ("a", "a_1"),
    ],
    ids=["the same beginning", "a dash", "capitals", "a number"],
)
def test_long_results_of_nodes_whose_names_are_alike_are_inputs_of_their_own(
    names: tuple[str, str],
) -> None:
    reader = Node.model_validate(node("reader", depends_on=names))
    found = long_outputs(reader, *results_of(*names))
    assert set(found.values()) == {f"artifact:{UUID(int=51)}", f"artifact:{UUID(int=52)}"}
    assert len(set(map(environment_name, found))) == 2
    assert all(len(name) <= 63 for name in found)


def test_a_long_result_takes_no_name_from_an_input_of_the_node() -> None:
    inputs = {"Clean-1-output": "${inputs.sales}"}
    reader = Node.model_validate(node("reader", depends_on=["clean"], inputs=inputs))
    assert long_outputs(reader, *results_of("clean")) == {}
