"""What attempts that were lost with their workers cost a step."""

from uuid import uuid4

import pytest

from activities.attempts.losses import Losses
from activities.store.attempts import Attempt, Begun
from workflows.errors import ScriptFailed, StepInterrupted, WorkersLost, WorkerStopping
from workflows.policies import LOST_ATTEMPTS


def losses(*, failures: int, lost: int, retries: int, is_safe: bool) -> Losses:
    number = failures + lost + 1
    attempt = Attempt(uuid4(), uuid4(), 1, number, retries, "worker-0")
    begun = Begun(uuid4(), "fetch", {}, {}, None, lost=lost, failures=failures)
    return Losses(attempt, begun, is_safe)


def used_up(counted: Losses) -> bool:
    error = ScriptFailed(step="fetch", code=75)
    counted.judge(error)
    return error.retries_used_up


def test_a_lost_attempt_costs_safe_work_nothing_and_any_other_a_retry() -> None:
    assert not used_up(losses(failures=1, lost=2, retries=2, is_safe=True))
    assert used_up(losses(failures=1, lost=2, retries=2, is_safe=False))


def test_work_that_is_not_safe_is_repeated_as_often_as_its_author_says() -> None:
    losses(failures=0, lost=2, retries=2, is_safe=False).check()
    with pytest.raises(StepInterrupted, match="during step fetch"):
        losses(failures=1, lost=2, retries=2, is_safe=False).check()


def test_a_worker_that_stops_says_whether_another_attempt_follows() -> None:
    assert isinstance(
        losses(failures=0, lost=0, retries=0, is_safe=True).one_more(), WorkerStopping
    )
    assert isinstance(
        losses(failures=0, lost=0, retries=1, is_safe=False).one_more(), WorkerStopping
    )
    assert isinstance(
        losses(failures=0, lost=0, retries=0, is_safe=False).one_more(), StepInterrupted
    )


def test_no_work_may_lose_more_workers_than_the_bound() -> None:
    losses(failures=0, lost=LOST_ATTEMPTS, retries=0, is_safe=True).check()
    with pytest.raises(WorkersLost):
        losses(failures=0, lost=LOST_ATTEMPTS + 1, retries=0, is_safe=True).check()
    last = losses(failures=0, lost=LOST_ATTEMPTS, retries=0, is_safe=True).one_more()
    assert isinstance(last, WorkersLost)
