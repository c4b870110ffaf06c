"""Named time-outs and retry policies, each with its reason."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

# A worker that is gone is noticed after this long. A worker beats twice a second, so even one
# that is starved by a busy machine is not taken for dead.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)

# Beside the script itself, a step may fetch its inputs, install its skill's dependencies (up to
# five minutes), store what came out, and wait for a database or store that is away for a while.
STEP_OVERHEAD = timedelta(hours=1)

# Longer than any sound task takes: agents work for 30 days at most, and wait for people meanwhile.
# It ends a run whose workflow task fails over and over (an oversized payload, say): else that would
# stay "running" for ever.
TASK_EXECUTION_TIMEOUT = timedelta(days=90)

# Before the second attempt at a step; it doubles from attempt to attempt, up to the longest.
FIRST_BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)


# Attempts at one piece of work that may be cut short because their worker was stopped or died. They
# cost no retry: that is not the fault of the work. The bound is for work that kills its workers.
LOST_ATTEMPTS = 10


class StepOptions(TypedDict):
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


class RecordOptions(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


def step(timeout_seconds: float, retries: int) -> StepOptions:
    """Backoff is 1 s * 2^n, at most five minutes. The activity decides which failures to retry.

    It counts them, too: Temporal's own limit has room for the attempts that are lost beside them.
    """
    return StepOptions(
        start_to_close_timeout=timedelta(seconds=timeout_seconds) + STEP_OVERHEAD,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=RetryPolicy(
            initial_interval=FIRST_BACKOFF,
            backoff_coefficient=2.0,
            maximum_interval=LONGEST_BACKOFF,
            maximum_attempts=retries + 1 + LOST_ATTEMPTS,
        ),
        # The workflow ends only when the sandbox is known to be dead.
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def step_pause(attempt: int, asked_seconds: float | None = None) -> timedelta:
    """How long Temporal waits after attempt number ``attempt`` at a step, by ``step``.

    ``asked_seconds`` is what the failure itself asks for, as by ``Retry-After``. Temporal takes
    that as it is, however long, but for 0, which is as if nothing was asked for.
    """
    if asked_seconds:
        return timedelta(seconds=asked_seconds)
    return min(FIRST_BACKOFF * 2.0 ** (attempt - 1), LONGEST_BACKOFF)


# An answer of a model streams for minutes at most; the activity itself gives up on one that stalls.
# The rest is for services that are away for a while.
_THINK_TIMEOUT = timedelta(hours=1)

# A model's service that is overloaded gets better in a minute or so: 1 + 2 + 4 + 8 + 16 + 32 s,
# or what the service itself asks for.
THINK_RETRIES = 6
_LONGEST_THINK_BACKOFF = timedelta(minutes=1)

# Of a tool call that met a service that is away, or a worker that died.
ACT_RETRIES = 3

THINK = StepOptions(
    start_to_close_timeout=_THINK_TIMEOUT,
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(
        initial_interval=FIRST_BACKOFF,
        backoff_coefficient=2.0,
        maximum_interval=_LONGEST_THINK_BACKOFF,
        maximum_attempts=THINK_RETRIES + 1 + LOST_ATTEMPTS,
    ),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)


def think_pause(attempt: int, asked_seconds: float | None = None) -> timedelta:
    """How long Temporal waits after attempt number ``attempt`` at a turn, by ``THINK``.
    ``asked_seconds`` as for ``step_pause``."""
    if asked_seconds:
        return timedelta(seconds=asked_seconds)
    return min(FIRST_BACKOFF * 2.0 ** (attempt - 1), _LONGEST_THINK_BACKOFF)


# An agent that stays may live for years, but each run of its workflow is over before that: a turn
# waits for people, and the next run begins with the newest worker.
CONVERSATION_RUN_TIMEOUT = timedelta(days=90)

# How long tools that run when a person interrupts may take to end by themselves.
INTERRUPT_GRACE = timedelta(seconds=10)

# In the background, while the agent goes on: it is tried again with the next turn.
SUMMARISE = StepOptions(
    start_to_close_timeout=timedelta(minutes=15),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=FIRST_BACKOFF, maximum_attempts=3),
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)


# A row must be written however long the database is away: a task that ended and does not say so
# would be lost to those who look.
RECORD = RecordOptions(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10)
    ),
)
