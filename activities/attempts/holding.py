"""Work that cannot run now, through no fault of its own: it waits in its workflow, which costs
neither an attempt nor a place on a worker."""

from datetime import UTC, datetime, timedelta

from workflows.errors import AgentOSError, DiskFull

ROOM_SECONDS = 15.0


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


def held_for_room(full: DiskFull) -> Held:
    """What was stopped because somebody else has filled the disk: before it is tried again, it
    waits for room where it works (``Scratch.workplace``)."""
    what = f"room on the disk of {full.fields['service']} ({full.fields['reason']})"
    return Held(what=what, seconds=ROOM_SECONDS)
