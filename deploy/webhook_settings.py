"""The settings of webhooks: whom they may call, and how long they try."""

from pydantic import Field
from pydantic_settings import BaseSettings

from activities.webhooks.options import WebhookOptions
from deploy.setting_values import DAY_SECONDS, YEAR_SECONDS, Count, Hosts

_LONGEST_TIMEOUT_SECONDS = 600.0


class WebhookSettings(BaseSettings):
    """A part of ``Settings``, which says how variables are named."""

    webhook_hosts: Hosts = Field(default=("*",), description="that may be called, over https")
    webhook_private_hosts: Hosts = Field(default=(), description="inside the house, http as well")
    webhook_timeout_seconds: float = Field(default=15.0, gt=0, le=_LONGEST_TIMEOUT_SECONDS)
    webhook_first_pause_seconds: float = Field(default=5.0, gt=0, le=DAY_SECONDS)
    webhook_longest_pause_seconds: float = Field(default=3_600.0, gt=0, le=DAY_SECONDS)
    webhook_retry_seconds: float = Field(default=DAY_SECONDS, gt=0, le=YEAR_SECONDS)
    webhook_off_seconds: float = Field(default=DAY_SECONDS, gt=0, le=YEAR_SECONDS)
    webhooks_at_once: Count = Field(default=64, description="sent side by side by one API")

    def webhook_options(self, *, loopback: bool) -> WebhookOptions:
        """``loopback``: nobody but the user who runs the API gets in without a key."""
        return WebhookOptions(
            hosts=self.webhook_hosts,
            private_hosts=self.webhook_private_hosts,
            loopback=loopback,
            timeout_seconds=self.webhook_timeout_seconds,
            first_pause_seconds=self.webhook_first_pause_seconds,
            longest_pause_seconds=self.webhook_longest_pause_seconds,
            retry_seconds=self.webhook_retry_seconds,
            off_seconds=self.webhook_off_seconds,
            at_once=self.webhooks_at_once,
        )
