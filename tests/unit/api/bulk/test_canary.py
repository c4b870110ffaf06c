"""What a bulk run does next."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.store.reading.bulk import Counts
from api.bulk.canary import End, Go, Wait, next_move
from workflows.states import BulkState

FEW = st.integers(0, 6)
FREE = Go(is_free=True)


@pytest.mark.parametrize(
    ("counts", "move"),
    [
        (Counts(left=5), Go()),
        (Counts(left=3, running=2), Go()),
        (Counts(left=2, running=3), Wait()),
        (Counts(left=2, running=2, failed=1, failed_alike=1), Wait()),
        (Counts(left=2, running=2, completed=1), FREE),
        (Counts(left=2, running=2, failed=1), FREE),
        (Counts(left=2, running=2, cancelled=1), Go()),
        (Counts(left=2, cancelled=1, skipped=9, failed=2, failed_alike=2), Go()),
        (Counts(left=2, failed=3, failed_alike=2), FREE),
        (Counts(left=2, completed=1, failed=40, failed_alike=40), FREE),
        (Counts(running=1, failed=3, failed_alike=3), Wait()),
        (Counts(), End(BulkState.COMPLETED)),
        (Counts(failed=3, failed_alike=3), End(BulkState.COMPLETED)),
    ],
    ids=str,
)
def test_a_canary_of_three_is_awaited_until_one_gets_further(
    counts: Counts, move: Go | Wait | End
) -> None:
    assert next_move(counts, 3) == move


def test_a_run_whose_first_tasks_fail_as_before_stops_and_says_what_it_leaves() -> None:
    move = next_move(Counts(left=17, failed=3, failed_alike=3), 3)
    assert isinstance(move, End)
    assert move.state is BulkState.STOPPED
    assert "the first 3 tasks that ran again failed in the same way" in move.reason
    assert "17 other dead letters were not tried and stay open, besides the new ones" in move.reason
    one = next_move(Counts(left=1, failed=1, failed_alike=1), 1)
    assert isinstance(one, End)
    assert "the first task that ran again failed" in one.reason
    assert "1 other dead letter was not tried and stays open, besides the new one" in one.reason


@given(left=st.integers(1, 6), running=FEW, failed=FEW)
def test_without_a_canary_nothing_is_awaited(left: int, running: int, failed: int) -> None:
    counts = Counts(left=left, running=running, failed=failed, failed_alike=failed)
    assert next_move(counts, 0) == FREE


@given(left=st.integers(0, 30), canary=FEW, ends=st.lists(st.sampled_from("cfax"), max_size=60))
def test_a_run_always_ends_and_begins_no_more_than_its_canary_before_one_gets_further(
    left: int, canary: int, ends: list[str]
) -> None:
    """``c`` completes, ``f`` fails in another way, ``a`` fails alike, ``x`` is cancelled."""
    counts, turns = Counts(left=left), iter(ends)
    while not isinstance(move := next_move(counts, canary), End):
        if isinstance(move, Go):
            counts = replace(counts, left=counts.left - 1, running=counts.running + 1)
            further = counts.completed + counts.failed - counts.failed_alike
            assert further or not canary or counts.running + counts.failed_alike <= canary
            continue
        assert counts.running  # It waits for something.
        counts = replace(counts, running=counts.running - 1)
        match next(turns, "a"):
            case "c":
                counts = replace(counts, completed=counts.completed + 1)
            case "x":
                counts = replace(counts, cancelled=counts.cancelled + 1)
            case how:
                alike = counts.failed_alike + (how == "a")
                counts = replace(counts, failed=counts.failed + 1, failed_alike=alike)
    assert counts.total == left
    assert (move.state is BulkState.STOPPED) is bool(counts.left)
