"""What nodes may use of the budget of their plan."""

from hypothesis import given
from hypothesis import strategies as st

from activities.plans.budget import Budget, Demand, Promise
from activities.store.reading.plan_usage import Used
from workflows.definitions.agent import Limits

DEMANDS = st.dictionaries(
    st.integers(1, 50),
    st.builds(Demand, st.sampled_from([1.0, 3.0]), st.integers(700, 30_000)),
    max_size=50,
)
USED = st.builds(Used, st.integers(0, 400_000), st.floats(0, 3))
RUNNING = st.lists(
    st.builds(Promise, st.builds(Limits, tokens=st.integers(1, 50_000)), USED), max_size=9
)


@given(st.integers(1, 1_000_000), USED, RUNNING, DEMANDS, st.sampled_from([0.0, 1.0, 9.0]))
def test_what_nodes_are_given_is_a_turn_at_least_and_no_more_than_there_is(
    tokens: int,
    used: Used,
    running: list[Promise],
    demands: dict[int, Demand],
    waiting: float,
) -> None:
    budget = Budget(Limits(tokens=tokens, cost_usd=2.0), used, running)
    given = budget.shares(demands, waiting)
    assert all(share.tokens >= demands[number].turn_tokens for number, share in given.items())
    promised = sum(max(each.limits.tokens - each.used.tokens, 0) for each in running)
    left = max(tokens * 0.9 - used.tokens - promised, 0)
    assert sum(share.tokens for share in given.values()) <= left
    assert sum(share.cost_usd or 0 for share in given.values()) <= 1.8 + 1e-9


def test_a_node_that_is_too_dear_keeps_no_smaller_one_from_beginning() -> None:
    budget = Budget(Limits(tokens=20_000), Used(), ())
    given = budget.shares({1: Demand(1.0, 18_000), 2: Demand(1.0, 3_000)}, 0.0)
    assert list(given) == [2]


def test_the_turn_of_the_planner_after_the_nodes_is_kept_back_however_small_the_budget() -> None:
    budget = Budget(Limits(tokens=6_000), Used(1_000), ())
    assert budget.shares({1: Demand(1.0, 1_100)}, 0.0) == {}
