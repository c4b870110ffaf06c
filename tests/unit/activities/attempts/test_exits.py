"""What the exit of a script means for its step."""

import pytest

from activities.attempts.exits import error_of
from activities.sandbox.base import Exit, Limit, Limits
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError, LimitExceeded, ScriptFailed, ScriptKilled, StepTimedOut

LIMITS = Limits(wall_seconds=9)


def step(**more: object) -> Step:
    return Step.model_validate({"id": "s", "skill": "x", **more})


def ended(code: int | None = 0, *, signal: int | None = None, limit: Limit | None = None) -> Exit:
    return Exit(code, signal, limit, duration_ms=1, peak_memory_bytes=None)


def test_exit_code_0_is_no_error() -> None:
    assert error_of(step(), ended(), LIMITS) is None


@pytest.mark.parametrize(
    ("exit_", "kind", "said"),
    [
        (ended(3), ScriptFailed, "exit code 3"),
        (ended(None, signal=9), ScriptKilled, "signal 9"),
        (ended(None, limit=Limit.WALL_TIME), StepTimedOut, "9 s"),
        *(
            (ended(0, limit=limit), LimitExceeded, "limit")
            for limit in Limit
            if limit != "wall_time"
        ),
    ],
)
def test_a_bad_end_says_what_it_was_and_is_final(
    exit_: Exit, kind: type[AgentOSError], said: str
) -> None:
    error = error_of(step(), exit_, LIMITS)
    assert isinstance(error, kind)
    assert said in str(error)
    assert not error.retryable


@pytest.mark.parametrize(
    ("retry_on", "exit_", "again"),
    [
        ((), ended(75), True),
        ((3,), ended(3), True),
        ((3,), ended(4), False),
        (("any",), ended(4), True),
        (("any",), ended(None, signal=11), True),
        (("timeout",), ended(None, limit=Limit.WALL_TIME), True),
        (("timeout",), ended(1), False),
        (("any",), ended(None, limit=Limit.MEMORY), False),
    ],
)
def test_a_failed_script_is_tried_again_where_its_step_asks_for_that(
    retry_on: tuple[object, ...], exit_: Exit, again: bool
) -> None:
    error = error_of(step(retry_on=retry_on), exit_, LIMITS)
    assert error is not None
    assert error.retryable is again
