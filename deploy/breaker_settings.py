"""The settings of circuit breakers: when one opens, and for how long."""

from pydantic import Field
from pydantic_settings import BaseSettings

from activities.breakers.options import BreakerOptions
from deploy.setting_values import DAY_SECONDS, Count

_LONGEST_WINDOW_SECONDS = 3_600.0


class BreakerSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    breaker_share: float = Field(default=0.5, gt=0, le=1, description="of calls that fail")
    breaker_calls: Count = Field(default=10, description="from which the share counts")
    breaker_window_seconds: float = Field(default=60.0, ge=1, le=_LONGEST_WINDOW_SECONDS)
    breaker_open_seconds: float = Field(default=30.0, gt=0, le=DAY_SECONDS)
    breaker_longest_seconds: float = Field(default=600.0, gt=0, le=DAY_SECONDS)
    breaker_slow_seconds: float = Field(
        default=0.0, ge=0, le=DAY_SECONDS, description="0: none is slow"
    )
    breaker_slow_share: float = Field(default=1.0, gt=0, le=1, description="of calls that are slow")

    @property
    def breaker_options(self) -> BreakerOptions:
        return BreakerOptions(
            share=self.breaker_share,
            calls=self.breaker_calls,
            window_seconds=self.breaker_window_seconds,
            open_seconds=self.breaker_open_seconds,
            longest_seconds=max(self.breaker_longest_seconds, self.breaker_open_seconds),
            slow_seconds=self.breaker_slow_seconds,
            slow_share=self.breaker_slow_share,
        )
