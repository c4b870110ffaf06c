"""How urgent the nodes of a plan are."""

from temporalio.common import Priority

from workflows.nodes import more_urgent


def test_nodes_are_more_urgent_than_their_plan_and_keep_its_teams_share() -> None:
    plan = Priority(priority_key=3, fairness_key="a team", fairness_weight=2.5)
    node = Priority(priority_key=2, fairness_key="a team", fairness_weight=2.5)
    assert more_urgent(plan) == node


def test_nothing_is_more_urgent_than_the_most_urgent() -> None:
    assert more_urgent(Priority(priority_key=1)).priority_key == 1
