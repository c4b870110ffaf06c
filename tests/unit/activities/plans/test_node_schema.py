"""The schema of a node as planners are sent it."""

from activities.plans.node_schema import node_schema
from workflows.definitions.plan import Atomicity, Plan


def test_the_schema_of_a_node_is_that_of_its_own_plan_whatever_was_planned_before() -> None:
    for _ in range(2):
        flat, deep = node_schema(Plan())["properties"], node_schema(Plan(depth=2))["properties"]
        relaxed = node_schema(Plan(atomicity=Atomicity.RELAXED))["properties"]
        assert flat["kind"]["enum"] == ["agent", "pipeline", "reasoning"]
        assert deep["kind"]["enum"] == ["agent", "pipeline", "reasoning", "plan"]
        assert ("why" in flat, "why" in relaxed) == (False, True)
