"""The tasks that nodes become."""

from dataclasses import replace

import pytest

from activities.plans.children import Means, child_of
from tests.unit.activities.plans.test_revise_plan import PLAN, node, stored
from workflows.states import Status

STEPS = [{"id": "a", "skill": "csv-clean"}]


@pytest.mark.parametrize("cache", [True, False])
def test_a_node_takes_results_of_equal_steps_only_if_its_plan_does(*, cache: bool) -> None:
    chosen = stored(6, Status.PENDING, node("clean", kind="pipeline", steps=STEPS))
    child = child_of(replace(PLAN, cache=cache), chosen, Means(None, 60.0), [], [])
    assert child.cache is cache
