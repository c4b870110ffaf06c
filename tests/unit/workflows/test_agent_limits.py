"""What ends an agent's run before its model does."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.agent_contracts import AgentRun, Hint, RunLimits, Spent, Thought
from workflows.agent_limits import (
    LONGEST_CIRCLE_TURNS,
    ROUNDS_UNTIL_HINT,
    ROUNDS_UNTIL_STOP,
    SILENT_UNTIL_STOP,
    check_limits,
    check_progress,
    goes_round,
    hint_for,
    spent_after,
    tokens_left,
)
from workflows.errors import AgentOSError
from workflows.errors.agents import (
    CostUsedUp,
    GoesRoundInCircles,
    NeverFinishes,
    TokensUsedUp,
    TurnsUsedUp,
)

LIMITS = RunLimits(turns=100, tokens=1_000, cost_usd=1.0, seconds=60)

digests = st.sampled_from("abcd")
histories = st.lists(digests, max_size=30).map(tuple)
circles = st.lists(digests, min_size=1, max_size=LONGEST_CIRCLE_TURNS).map(tuple)
thoughts = st.builds(
    Thought,
    seq=st.integers(1, 100),
    tokens=st.integers(0, 1_000),
    cost_usd=st.floats(0, 10),
    digest=digests,
    silent=st.booleans(),
)


def run_with(spent: Spent, limits: RunLimits = LIMITS) -> AgentRun:
    return AgentRun(
        task_id=uuid4(), team_id=uuid4(), run=1, limits=limits, approval_seconds=60, spent=spent
    )


def after(*thoughts: Thought) -> Spent:
    spent = Spent()
    for thought in thoughts:
        spent = spent_after(spent, thought, spent.seconds + 1)
    return spent


@given(st.lists(digests, max_size=9).map(tuple), circles, st.integers(1, ROUNDS_UNTIL_STOP))
def test_a_circle_is_seen_whatever_was_before_it(
    before: tuple[str, ...], circle: tuple[str, ...], rounds: int
) -> None:
    assert goes_round(before + circle * rounds, rounds)


@given(histories, st.integers(2, ROUNDS_UNTIL_STOP))
def test_a_circle_is_seen_only_where_the_last_turns_repeat(
    history: tuple[str, ...], rounds: int
) -> None:
    repeats = [
        length
        for length in range(1, LONGEST_CIRCLE_TURNS + 1)
        if len(history) >= length * rounds
        and all(history[-n] == history[-n - length] for n in range(1, length * (rounds - 1) + 1))
    ]
    assert goes_round(history, rounds) == bool(repeats)


@given(histories)
def test_a_model_is_told_of_its_circle_before_it_is_stopped(history: tuple[str, ...]) -> None:
    if goes_round(history, ROUNDS_UNTIL_STOP):
        assert goes_round(history, ROUNDS_UNTIL_HINT)


@given(st.lists(thoughts, max_size=60))
def test_spending_is_the_sum_of_the_turns_and_keeps_its_size(made: list[Thought]) -> None:
    spent = after(*made)
    assert spent.turns == spent.seconds == len(made)
    assert spent.tokens == sum(thought.tokens for thought in made)
    assert spent.cost_usd == pytest.approx(sum(thought.cost_usd for thought in made))
    kept = LONGEST_CIRCLE_TURNS * ROUNDS_UNTIL_STOP
    assert spent.digests == tuple(thought.digest for thought in made)[-kept:]


@given(st.lists(thoughts, max_size=60))
def test_the_digests_that_are_kept_are_enough_to_see_every_circle(made: list[Thought]) -> None:
    whole = tuple(thought.digest for thought in made)
    for rounds in (ROUNDS_UNTIL_HINT, ROUNDS_UNTIL_STOP):
        assert goes_round(after(*made).digests, rounds) == goes_round(whole, rounds)


@given(st.lists(st.booleans(), max_size=10))
def test_silence_counts_the_answers_without_a_call_in_a_row(silences: list[bool]) -> None:
    made = [
        Thought(seq=1, tokens=1, cost_usd=0, digest=str(number), silent=silent)
        for number, silent in enumerate(silences)
    ]
    spent = after(*made)
    expected = 0
    for silent in silences:
        expected = expected + 1 if silent else 0
    assert spent.silent == expected
    assert (_refusal_of(spent) is NeverFinishes) == (expected >= SILENT_UNTIL_STOP)


def test_a_model_that_gets_on_is_left_alone() -> None:
    check_progress(Spent(digests=tuple("abcabdabcabdabc"), silent=SILENT_UNTIL_STOP - 1))


def test_a_model_that_goes_round_too_often_is_stopped() -> None:
    check_progress(Spent(digests=("a", "b") * (ROUNDS_UNTIL_STOP - 1)))
    with pytest.raises(GoesRoundInCircles):
        check_progress(Spent(digests=("a", "b") * ROUNDS_UNTIL_STOP))


@pytest.mark.parametrize(
    ("spent", "error"),
    [
        (Spent(turns=100), TurnsUsedUp),
        (Spent(tokens=1_000), TokensUsedUp),
        (Spent(cost_usd=1.0), CostUsedUp),
    ],
)
def test_a_limit_that_is_reached_lets_no_turn_follow(
    spent: Spent, error: type[AgentOSError]
) -> None:
    with pytest.raises(error):
        check_limits(run_with(spent))


@pytest.mark.parametrize(
    ("used", "is_shared", "left"),
    [(0, False, None), (0, True, 1_000), (300, False, 700), (300, True, 700)],
)
def test_a_turn_may_take_what_is_left_but_the_first_of_a_task_of_its_own(
    used: int, is_shared: bool, left: int | None
) -> None:
    assert tokens_left(run_with(Spent(tokens=used)), is_shared=is_shared) == left


def test_what_nodes_have_used_is_not_left() -> None:
    assert tokens_left(run_with(Spent(node_tokens=300)), is_shared=True) == 700


def test_below_every_limit_a_turn_may_follow() -> None:
    check_limits(run_with(Spent(turns=99, tokens=999, cost_usd=0.99)))


def test_no_limit_on_cost_is_none() -> None:
    unlimited = LIMITS.model_copy(update={"cost_usd": None})
    check_limits(run_with(Spent(cost_usd=1e9), unlimited))


@pytest.mark.parametrize(
    ("spent", "hint"),
    [
        (Spent(), None),
        (Spent(turns=98), None),
        (Spent(turns=99), Hint.LAST_TURN),
        (Spent(silent=1), Hint.CALL_A_TOOL),
        (Spent(digests=("a",) * ROUNDS_UNTIL_HINT), Hint.GOING_ROUND),
        (Spent(digests=("a",) * (ROUNDS_UNTIL_HINT - 1)), None),
        (Spent(turns=99, silent=1, digests=("a",) * ROUNDS_UNTIL_HINT), Hint.LAST_TURN),
    ],
)
def test_the_model_is_told_what_it_has_to_mend(spent: Spent, hint: Hint | None) -> None:
    assert hint_for(run_with(spent)) == hint


def _refusal_of(spent: Spent) -> type[AgentOSError] | None:
    try:
        check_progress(spent)
    except AgentOSError as error:
        return type(error)
    return None
