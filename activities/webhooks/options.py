"""Whom webhooks may call, and how long they try."""

from dataclasses import dataclass
from pathlib import Path

DAY_SECONDS = 86_400.0
# Between the claim of a delivery and its sending there is a query or two; after that, one.
_LEASE_SLACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """``hosts`` are patterns of hosts on the public internet, for https. ``private_hosts`` may be
    inside the house, on private addresses or on this machine, and are called over http as well.
    With ``loopback``, the default team may call any port of this machine.

    An attempt takes ``timeout_seconds`` at most. The pauses between them grow from ``first_pause``
    to ``longest_pause_seconds``, until it was tried for ``retry_seconds``. A webhook to which
    nothing got through for ``off_seconds`` is switched off. ``at_once`` are sent side by side by
    one API, ``each_at_once`` of them to one receiver; every ``poll_seconds`` it looks for more.
    ``ca_file`` has certificates (PEM) to trust beside the public ones.
    """

    hosts: tuple[str, ...] = ("*",)
    private_hosts: tuple[str, ...] = ()
    loopback: bool = False
    timeout_seconds: float = 15.0
    first_pause_seconds: float = 5.0
    longest_pause_seconds: float = 3_600.0
    retry_seconds: float = DAY_SECONDS
    off_seconds: float = DAY_SECONDS
    at_once: int = 64
    each_at_once: int = 4
    poll_seconds: float = 0.5
    ca_file: Path | None = None

    @property
    def lease_seconds(self) -> float:
        """After this a delivery whose sender was lost is another's."""
        return 2 * self.timeout_seconds + _LEASE_SLACK_SECONDS
