"""What a bulk run does next, by how far it is."""

from dataclasses import dataclass

from activities.store.reading.bulk import Counts
from workflows.states import BulkState


@dataclass(frozen=True, slots=True)
class Go:
    """Deal with the next letter; ``is_free``: and with all that follow, since nothing is awaited
    any more."""

    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Until tasks that run again have ended."""


@dataclass(frozen=True, slots=True)
class End:
    state: BulkState
    reason: str = ""


def next_move(counts: Counts, canary: int) -> Go | Wait | End:
    """The first ``canary`` tasks that were run again are awaited. One that completes, or fails in
    another way, got further: all others may follow. One that was cancelled says nothing, and
    another takes its place."""
    if not counts.left:
        return Wait() if counts.running else End(BulkState.COMPLETED)
    has_got_further = counts.completed + counts.failed - counts.failed_alike > 0
    if has_got_further or not canary:
        return Go(is_free=True)
    if counts.running + counts.failed_alike < canary:
        return Go()
    if counts.running:
        return Wait()
    return End(BulkState.STOPPED, _hopeless(counts.failed_alike, counts.left))


def _hopeless(count: int, left: int) -> str:
    first = "the first task" if count == 1 else f"the first {count} tasks"
    these, ones = ("this task", "one") if count == 1 else ("these tasks", "ones")
    rest, stay = ("dead letter was", "stays") if left == 1 else ("dead letters were", "stay")
    return (
        f"{first} that ran again failed in the same way as before. {left} other {rest} not tried "
        f"and {stay} open, besides the new {ones} of {these}. "
        "Mend the cause, or give other inputs, and start another bulk run."
    )
