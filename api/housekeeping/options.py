"""How housekeeping is done."""

from dataclasses import dataclass, field

from activities.retention import Retention

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class HousekeepingOptions:
    """A pass every ``interval_seconds`` works for ``work_seconds`` at most. What has nothing left
    is looked at again after ``rest_seconds``, and the bucket after ``round_seconds``.

    ``blob_seconds`` overrules how long blobs are kept that nothing names.
    """

    retention: Retention = field(default_factory=Retention)
    interval_seconds: float = 10.0
    work_seconds: float = 4.0
    rest_seconds: float = 60.0
    round_seconds: float = 3_600.0
    blob_seconds: float | None = None

    def seconds_for_blobs(self, retention: Retention) -> float | None:
        """None for ever."""
        if self.blob_seconds is not None:
            return self.blob_seconds
        return None if retention.blobs is None else retention.blobs * DAY_SECONDS
