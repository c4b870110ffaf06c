"""What housekeeping has done and is about to do."""

from datetime import datetime

from api.wire.responses.base import Answer


class SweepView(Answer):
    """``keep_days`` is null where things are kept for ever, and 0 where they go at once.
    ``remaining`` counts what is known to be left to look at, as far as 10,000."""

    name: str
    keep_days: int | None
    is_own: bool
    removed: int
    freed_bytes: int
    remaining: int
    swept_at: datetime | None


class PassView(Answer):
    """The last pass, of whichever API process; without ``ended_at`` it is under way. ``removed``
    are rows and blobs of all teams."""

    began_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    removed: int


class HousekeepingView(Answer):
    """``sweeps`` are what was removed of the team's own things."""

    sweeps: list[SweepView]
    last_pass: PassView
