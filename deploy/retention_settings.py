"""The settings of housekeeping: how long things are kept."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings

from activities.retention import FOREVER, MOST_DAYS, Retention
from api.housekeeping.options import HousekeepingOptions
from deploy.setting_values import DAY_SECONDS, senseless


def _days(value: object) -> object:
    """Days, or ``forever``, which is None."""
    if not isinstance(value, str):
        return value
    if value == FOREVER:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_DAYS):
        raise senseless(f"it must be a number of days, 1 to {MOST_DAYS}, or {FOREVER!r}")
    return int(value)


Kept = Annotated[int | None, BeforeValidator(_days)]

_DEFAULT = Retention()


class RetentionSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    keep_tasks: Kept = _DEFAULT.tasks
    keep_events: Kept = _DEFAULT.events
    keep_logs: Kept = _DEFAULT.logs
    keep_conversations: Kept = _DEFAULT.conversations
    keep_artifacts: Kept = _DEFAULT.artifacts
    keep_files: Kept = _DEFAULT.files
    keep_dead_letters: Kept = Field(
        default=_DEFAULT.dead_letters, description="that were requeued or discarded"
    )
    keep_deliveries: Kept = Field(default=_DEFAULT.deliveries, description="to webhooks")
    keep_audit: Kept = _DEFAULT.audit
    keep_blobs: Kept = Field(default=_DEFAULT.blobs, description="that nothing names any more")
    cache_days: Kept = Field(default=30, description="of inputs and environments nobody uses")
    housekeeping_seconds: float = Field(
        default=10.0, gt=0, le=DAY_SECONDS, description="from one pass to the next"
    )

    @property
    def cache_seconds(self) -> float | None:
        """How long a worker keeps what it does not use; None: until others need the room."""
        return None if self.cache_days is None else self.cache_days * DAY_SECONDS

    @property
    def housekeeping(self) -> HousekeepingOptions:
        kept = {name: getattr(self, f"keep_{name}") for name in Retention.model_fields}
        return HousekeepingOptions(
            retention=Retention.model_validate(kept), interval_seconds=self.housekeeping_seconds
        )
