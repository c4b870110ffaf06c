"""What happens to a run of a task, and to its attempts."""

from workflows.errors import AgentOSError


class TaskMoved(AgentOSError):
    """Task {task_id} has ended or was restarted; the result of this attempt was discarded."""


class WorkerStopping(AgentOSError):
    """The worker was stopped during this attempt; another one takes over."""

    retryable = True
    retry_after_seconds = 1.0  # However often: workers are restarted one after the other.


class WorkersLost(AgentOSError):
    """{lost} attempts were cut short because their worker was stopped or died, which is more than
    the limit of {limit}. Find out why in the logs of the workers, then retry the task."""

    retryable = True
    retries_used_up = True


class StepInterrupted(AgentOSError):
    """The worker was stopped or died during step {step}, which may have taken effect. It was not
    run again, because that may not be repeated blindly. Check what it did, then retry the task from
    this step, or from the next one. Write `retry_on: [any]` in a step that may always be
    repeated."""

    retryable = True
    retries_used_up = True
