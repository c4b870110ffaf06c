"""Failures that nobody foresaw, as errors of ours: what history and people are told of them."""

import asyncio
import errno
import os

import pytest
from temporalio.exceptions import ApplicationError

from activities.attempts.attempt import as_application_error
from activities.attempts.unforeseen import foreseen
from workflows.errors import AgentOSError, DiskFull, InternalError
from workflows.errors.tasks import TaskMoved


def error_of(failure: BaseException) -> AgentOSError:
    with pytest.raises(AgentOSError) as raised, foreseen():
        raise failure
    return raised.value


@pytest.mark.parametrize(
    "failure",
    [
        KeyError("Ann's row"),
        TimeoutError("Ann's row"),
        PermissionError(errno.EACCES, "denied", "Ann's row"),
        RecursionError("Ann's row"),
        ExceptionGroup("several", [ValueError("Ann's row"), KeyError("b")]),
    ],
)
def test_what_nobody_foresaw_tells_its_kind_and_place_and_keeps_its_words_apart(
    failure: Exception,
) -> None:
    error = error_of(failure)
    first = failure.exceptions[0] if isinstance(failure, ExceptionGroup) else failure
    assert isinstance(error, InternalError)
    assert error.retryable
    assert type(first).__name__ in str(error)
    assert "line " in str(error)
    assert "Ann" not in str(error)
    assert "Ann" in error.account


def test_the_place_is_the_innermost_of_our_own_code() -> None:
    with pytest.raises(InternalError) as raised, foreseen():
        InternalError()  # It lacks the fields of its message.
    assert "activities.attempts.unforeseen" not in str(raised.value)
    assert "workflows.errors, line " in str(raised.value)


def test_its_words_hold_no_credentials() -> None:
    error = error_of(ValueError("Authorization: Bearer abcdef0123456789"))
    assert "abcdef" not in error.account


def test_errors_of_ours_and_a_full_disk_stay_what_they_are() -> None:
    moved = TaskMoved(task_id="a")
    assert error_of(moved) is moved
    assert isinstance(error_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))), DiskFull)


def test_a_cancellation_is_no_failure() -> None:
    with pytest.raises(asyncio.CancelledError), foreseen():
        raise asyncio.CancelledError


async def test_history_is_told_the_code_and_not_the_words() -> None:
    with pytest.raises(ApplicationError) as raised:
        async with as_application_error():
            raise KeyError("Ann's row")
    assert raised.value.type == InternalError.code
    assert not raised.value.non_retryable
    assert "Ann" not in str(raised.value)
    assert raised.value.__cause__ is None
