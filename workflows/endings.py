"""What a run that ended badly leaves in the row of its task: a state, and why."""

from temporalio.exceptions import ActivityError, ApplicationError, RetryState
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows.contracts import RETRIES_USED_UP, WORKER_LOST, Failure
from workflows.errors.agents import TokenQuotaUsedUp
from workflows.states import Status

# Final for this run, but only for a while: a later retry by a person may succeed.
_TEMPORARY = (TokenQuotaUsedUp.code,)


def status_after(error: ActivityError | ApplicationError) -> Status:
    """``blocked`` where a retry may succeed: a dead letter, left for a person to fix."""
    cause: BaseException | None = error
    if isinstance(error, ActivityError):
        if error.retry_state is not RetryState.NON_RETRYABLE_FAILURE:
            return Status.BLOCKED
        cause = error.cause
    may_succeed = isinstance(cause, ApplicationError) and (
        cause.type in _TEMPORARY or RETRIES_USED_UP in cause.details
    )
    return Status.BLOCKED if may_succeed else Status.FAILED


def failure_of(error: ActivityError | ApplicationError, step: str) -> Failure:
    """Why the activity behind ``step`` failed, for want of its own account, which is in a row.

    History has no words, so there are none here if the activity could not write them down.
    """
    match error.cause if isinstance(error, ActivityError) else error:
        case ApplicationError() as cause:
            code = cause.type or "error"
            message = (
                f"{step!r} failed ({code}), and its worker could not write down more. Look at the "
                "log of the worker."
            )
        case ActivityTimeout() as cause if cause.type is not None:
            code = WORKER_LOST
            message = (
                f"No worker finished step {step!r}: {cause.type.name.lower()} time-out. "
                "The worker died, lost its connection or was overloaded. Look at its log."
            )
        case _:
            code, message = "error", f"Nobody knows why {step!r} failed. Look at the worker's log."
    return Failure(code=code, message=message[:4_096], step=step)
