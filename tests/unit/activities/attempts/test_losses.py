"""What attempts that were lost with their workers cost a step."""

from uuid import uuid4

import pytest

from activities.attempts.losses import Losses, Repeat
from activities.store.attempts import Attempt, Begun
from activities.tools.own.errors import ToolBrokenOff
from workflows.errors import AgentOSError, InternalError
from workflows.errors.scripts import ScriptFailed
from workflows.errors.tasks import StepInterrupted, WorkersLost, WorkerStopping
from workflows.policies import LOST_ATTEMPTS


def losses(*, failures: int, lost: int, retries: int, repeat: Repeat) -> Losses:
    number = failures + lost + 1
    attempt = Attempt(uuid4(), uuid4(), 1, number, retries, "worker-0")
    begun = Begun(uuid4(), "fetch", {}, {}, None, lost=lost, failures=failures)
    return Losses(attempt, begun, repeat)


def used_up(counted: Losses, error: AgentOSError | None = None) -> bool:
    error = error or ScriptFailed(step="fetch", code=75)
    counted.judge(error)
    return error.retries_used_up


def test_a_lost_attempt_costs_safe_work_nothing_and_any_other_a_retry() -> None:
    assert not used_up(losses(failures=1, lost=2, retries=2, repeat=Repeat.FREE))
    assert used_up(losses(failures=1, lost=2, retries=2, repeat=Repeat.COSTLY))


def test_work_that_is_not_safe_is_repeated_as_often_as_its_author_says() -> None:
    losses(failures=0, lost=2, retries=2, repeat=Repeat.COSTLY).check()
    with pytest.raises(StepInterrupted, match="during step fetch"):
        losses(failures=1, lost=2, retries=2, repeat=Repeat.COSTLY).check()


def test_work_that_is_never_repeated_is_not_followed_by_an_attempt_once_one_was_lost() -> None:
    losses(failures=1, lost=0, retries=2, repeat=Repeat.NEVER).check()
    with pytest.raises(StepInterrupted):
        losses(failures=0, lost=1, retries=2, repeat=Repeat.NEVER).check()
    last = losses(failures=0, lost=0, retries=2, repeat=Repeat.NEVER).one_more()
    assert isinstance(last, StepInterrupted)


def test_work_that_is_never_repeated_is_not_after_a_failure_that_nobody_foresaw() -> None:
    broken = InternalError(kind="KeyError", place="activities.tools, line 3")
    assert used_up(losses(failures=0, lost=0, retries=2, repeat=Repeat.NEVER), broken)
    assert not used_up(losses(failures=0, lost=0, retries=2, repeat=Repeat.NEVER))


def test_work_that_is_never_repeated_is_not_after_a_tool_was_broken_off() -> None:
    broken_off = ToolBrokenOff(tool="pay", code="temporary-failure", place="pay.py, line 3")
    assert used_up(losses(failures=0, lost=0, retries=2, repeat=Repeat.NEVER), broken_off)
    asked_for = ToolBrokenOff(tool="pay", code="temporary-failure", place="pay.py, line 3")
    assert not used_up(losses(failures=0, lost=0, retries=2, repeat=Repeat.FREE), asked_for)


def test_a_worker_that_stops_says_whether_another_attempt_follows() -> None:
    assert isinstance(
        losses(failures=0, lost=0, retries=0, repeat=Repeat.FREE).one_more(), WorkerStopping
    )
    assert isinstance(
        losses(failures=0, lost=0, retries=1, repeat=Repeat.COSTLY).one_more(), WorkerStopping
    )
    assert isinstance(
        losses(failures=0, lost=0, retries=0, repeat=Repeat.COSTLY).one_more(), StepInterrupted
    )


def test_no_work_may_lose_more_workers_than_the_bound() -> None:
    losses(failures=0, lost=LOST_ATTEMPTS, retries=0, repeat=Repeat.FREE).check()
    with pytest.raises(WorkersLost):
        losses(failures=0, lost=LOST_ATTEMPTS + 1, retries=0, repeat=Repeat.FREE).check()
    last = losses(failures=0, lost=LOST_ATTEMPTS, retries=0, repeat=Repeat.FREE).one_more()
    assert isinstance(last, WorkersLost)
