"""What it means for a step that some of its attempts were lost with their workers."""

from dataclasses import dataclass

from temporalio import activity

from activities.store.attempts import Attempt, Begun
from workflows.errors import AgentOSError, StepInterrupted, WorkersLost, WorkerStopping
from workflows.policies import LOST_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts retries for an attempt. ``is_safe``: to repeat the work does no harm.

    A lost attempt costs safe work no retry, and any other work one: how often such a step may be
    run is for its author to say.
    """

    attempt: Attempt
    begun: Begun
    is_safe: bool

    def check(self) -> None:
        """Whether the attempt may be made.

        Raises:
            WorkersLost: too many before it were lost.
            StepInterrupted: the one before it may have taken effect, and no retry is left.
        """
        check_losses(self.attempt.number - 1 - self.begun.failures)
        if not self.is_safe and self.begun.was_lost and self._used > self.attempt.retries:
            raise StepInterrupted(step=self.begun.name)

    def judge(self, error: AgentOSError) -> None:
        """Note on the error of the attempt whether a retry is left."""
        error.retries_used_up |= self._used >= self.attempt.retries

    def one_more(self) -> AgentOSError:
        """What to say of the attempt now that its worker stops."""
        try:
            check_losses(self.attempt.number - self.begun.failures)
        except WorkersLost as error:
            return error
        if not self.is_safe and self._used >= self.attempt.retries:
            return StepInterrupted(step=self.begun.name)
        return WorkerStopping()

    @property
    def _used(self) -> int:
        """How many retries the attempts before this one have cost."""
        return self.begun.failures + (0 if self.is_safe else self.begun.lost)


def failures_before() -> int:
    """How many attempts at a turn before this one failed on their own: Temporal keeps what the last
    heartbeat told, also when its worker is lost."""
    return int(next(iter(activity.info().heartbeat_details), 0))


def check_losses(lost: int) -> None:
    """Raises ``WorkersLost`` when more attempts were ``lost`` than any work may lose."""
    if lost > LOST_ATTEMPTS:
        raise WorkersLost(lost=lost, limit=LOST_ATTEMPTS)
