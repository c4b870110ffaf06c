"""What it means for a step that some of its attempts were lost with their workers."""

from dataclasses import dataclass
from enum import Enum

from temporalio import activity

from activities.store.attempts import Attempt, Begun
from activities.tools.own.errors import ToolBrokenOff
from workflows.errors import AgentOSError, InternalError
from workflows.errors.tasks import StepInterrupted, WorkersLost, WorkerStopping
from workflows.policies import LOST_ATTEMPTS

# Who knows how far the work had come?
UNCLEAR = (InternalError, ToolBrokenOff)


class Repeat(Enum):
    """What it costs to repeat work of which nobody knows whether it took effect.

    ``FREE``: nothing, it does no harm. ``COSTLY``: a retry, for how often such a step may be run is
    for its author to say. ``NEVER``: it is not repeated.
    """

    FREE = "free"
    COSTLY = "costly"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts retries for an attempt."""

    attempt: Attempt
    begun: Begun
    repeat: Repeat

    def check(self) -> None:
        """Whether the attempt may be made.

        Raises:
            WorkersLost: too many before it were lost.
            StepInterrupted: one before it may have taken effect, and it may not be repeated.
        """
        check_losses(self.attempt.number - 1 - self.begun.failures)
        if self.begun.was_lost and not self._may_follow(self._used - 1):
            raise StepInterrupted(step=self.begun.name)

    def judge(self, error: AgentOSError) -> None:
        """Note on the error of the attempt whether a retry is left."""
        is_unclear = isinstance(error, UNCLEAR)
        error.retries_used_up |= self._used >= self.attempt.retries or (
            is_unclear and self.repeat is Repeat.NEVER
        )

    def one_more(self) -> AgentOSError:
        """What to say of the attempt now that its worker stops."""
        try:
            check_losses(self.attempt.number - self.begun.failures)
        except WorkersLost as error:
            return error
        if not self._may_follow(self._used):
            return StepInterrupted(step=self.begun.name)
        return WorkerStopping()

    @property
    def _used(self) -> int:
        """How many retries the attempts before this one have cost."""
        return self.begun.failures + (self.begun.lost if self.repeat is Repeat.COSTLY else 0)

    def _may_follow(self, used: int) -> bool:
        """Whether a lost attempt may be followed by another, with so many retries ``used``."""
        if self.repeat is Repeat.COSTLY:
            return used < self.attempt.retries
        return self.repeat is Repeat.FREE


def failures_before(tried: int) -> int:
    """How many attempts at a turn before this one failed on their own: ``tried`` before it was
    held, and since then as many as the last heartbeat told, which Temporal keeps also when its
    worker is lost."""
    return int(next(iter(activity.info().heartbeat_details), tried))


def check_losses(lost: int) -> None:
    """Raises ``WorkersLost`` when more attempts were ``lost`` than any work may lose."""
    if lost > LOST_ATTEMPTS:
        raise WorkersLost(lost=lost, limit=LOST_ATTEMPTS)
