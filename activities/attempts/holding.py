"""Work that cannot run now, through no fault of its own: it waits in its workflow, which costs
neither an attempt nor a place on a worker."""

from collections import deque
from datetime import UTC, datetime, timedelta
from uuid import UUID

from workflows.errors import AgentOSError, DiskFull

ROOM_SECONDS = 15.0
_REMEMBERED_STEPS = 1_000  # of those that were held for room


class Held(AgentOSError):
    """It cannot run now: it waits for {what}. It is tried again by itself, in {seconds:.0f} s at
    the latest.

    ``failure`` is what an attempt failed of that was made, and counts. Others were not made at all.
    """

    def __init__(self, *, what: str, seconds: float, failure: AgentOSError | None = None) -> None:
        super().__init__(what=what, seconds=seconds)
        self.what = what
        self.seconds = seconds
        self.failure = failure

    @property
    def until(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


class HoldsForRoom:
    """Holds of scripts that were stopped on a full disk: one for each run of a step on this worker.

    Who knows whether what the script itself writes is not what leaves no room? It would be stopped
    and begun again without end. So the next time counts as an attempt, as it does at once where a
    script may have done something elsewhere, through the network.
    """

    def __init__(self) -> None:
        self._held: deque[tuple[UUID, int]] = deque(maxlen=_REMEMBERED_STEPS)

    def take(self, sub_task_id: UUID, run: int) -> bool:
        """Whether that step may be held for room now, which it then is."""
        step = (sub_task_id, run)
        if step in self._held:
            return False
        self._held.append(step)
        return True


def held_for_room(full: DiskFull) -> Held:
    """What was stopped because somebody else has filled the disk: before it is tried again, it
    waits for room where it works (``Scratch.workplace``)."""
    what = f"room on the disk of {full.fields['service']} ({full.fields['reason']})"
    return Held(what=what, seconds=ROOM_SECONDS)
