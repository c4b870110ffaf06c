"""What is left of an error once it is a failure in workflow history."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from workflows.contracts import RETRIES_USED_UP
from workflows.errors import AgentOSError
from workflows.errors.agents import TurnsUsedUp
from workflows.errors.skills import ScriptNotFound
from workflows.failures import DATA_CONVERTER

MARK = "canary"
TASK = UUID("0c9b1e0e-0000-4000-8000-000000000001")


def chained(*errors: BaseException) -> BaseException:
    """The first error, raised from the second, and so on."""

    def throw() -> None:
        canary = MARK  # What a frame holds, too.
        cause = chained(*errors[1:]) if errors[1:] else None
        raise errors[0] from cause or KeyError(canary)

    with pytest.raises(BaseException) as raised:  # noqa: PT011  (whatever it is)
        throw()
    return raised.value


def recorded(error: BaseException, workflow: str = f"task-{TASK}") -> Failure:
    context = ActivitySerializationContext(
        namespace="default",
        workflow_id=workflow,
        workflow_type="AgentWorkflow",
        activity_type="think",
        activity_id="1",
        activity_task_queue="agentos",
        is_local=False,
    )
    failure = Failure()
    asyncio.run(DATA_CONVERTER.with_context(context).encode_failure(error, failure))
    return failure


def parts(failure: Failure) -> Iterator[Failure]:
    yield failure
    if failure.HasField("cause"):
        yield from parts(failure.cause)


ERRORS: dict[str, BaseException] = {
    "ours": ScriptNotFound(skill=MARK, script=MARK, scripts=MARK),
    "an unexpected one": ValueError(MARK),
    "one of the SDK": ApplicationError(MARK, MARK, {MARK: [MARK]}, type=f"{MARK} as a type"),
    "a cancellation": CancelledError(MARK, MARK),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_no_words_stack_or_details_of_an_error_or_its_causes_are_recorded(
    error: BaseException,
) -> None:
    failure = recorded(chained(RuntimeError(MARK), error, LookupError(MARK)))
    assert MARK.encode() not in failure.SerializeToString()
    assert [part.stack_trace for part in parts(failure)] == [""] * 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TurnsUsedUp(limit=3), "turns-used-up"),
        (ApplicationError(MARK, type="script-failed"), "script-failed"),
        (ValueError(MARK), "ValueError"),
        (ApplicationError(MARK), "error"),
        (ApplicationError(MARK, type=f"{MARK} {MARK}"), "error"),
    ],
)
def test_a_failure_says_its_code_and_where_to_read_more(error: BaseException, code: str) -> None:
    failure = recorded(error)
    assert failure.application_failure_info.type == code
    assert failure.message == f"{code}: see `agentos show {TASK}`, or the log of the worker"


def test_a_failure_of_a_workflow_that_is_no_task_names_none() -> None:
    assert recorded(AgentOSError(reason="a"), f"other-{MARK}").message == (
        "error: see `agentos show`, or the log of the worker"
    )


def test_whether_and_when_another_attempt_follows_is_kept() -> None:
    error = ApplicationError(MARK, RETRIES_USED_UP, type="a", non_retryable=True)
    back = DATA_CONVERTER.failure_converter.from_failure(
        recorded(error), DATA_CONVERTER.payload_converter
    )
    assert isinstance(back, ApplicationError)
    assert (back.details, back.non_retryable) == ((RETRIES_USED_UP,), True)


def test_a_failure_that_comes_from_history_is_silenced_when_it_is_told_again() -> None:
    """As of an activity whose worker was older than this."""
    old = Failure(message="Activity task failed")
    old.activity_failure_info.SetInParent()
    old.cause.message, old.cause.stack_trace = MARK, MARK
    old.cause.application_failure_info.type = "script-failed"
    error = DATA_CONVERTER.failure_converter.from_failure(old, DATA_CONVERTER.payload_converter)
    assert isinstance(error, ActivityError)
    failure = recorded(error)
    assert failure.message == "Activity task failed"
    assert failure.cause.message.startswith("script-failed: see ")
    assert MARK.encode() not in failure.SerializeToString()


@pytest.mark.parametrize(
    ("workflow", "where"),
    [
        (f"task-{UUID(int=7)}", f"see `agentos show {UUID(int=7)}`"),
        (f"agent-{UUID(int=7)}", f"see `agentos agents show {UUID(int=7)}`"),
        ("scheduled-x", "see `agentos show`"),
    ],
)
def test_a_failure_names_the_command_that_tells_more(workflow: str, where: str) -> None:
    context = WorkflowSerializationContext(namespace="default", workflow_id=workflow)
    converter = DATA_CONVERTER.with_context(context)
    failure = Failure()
    converter.failure_converter.to_failure(
        ValueError("words"), converter.payload_converter, failure
    )
    assert where in failure.message
    assert failure.stack_trace == ""
