"""The settings of schedules."""

from pydantic import Field
from pydantic_settings import BaseSettings

from deploy.setting_values import DAY_SECONDS, Count


class ScheduleSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    schedule_seconds: float = Field(
        default=10.0, ge=1, le=DAY_SECONDS, description="no schedule runs more often"
    )
    max_schedules: Count = Field(default=100, description="of a team")
