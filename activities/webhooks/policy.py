"""Which URLs may be called on the word of somebody else."""

from dataclasses import dataclass
from uuid import UUID

import httpx2

from activities.addresses import as_address, is_private, is_public
from activities.inputs.policy import HostPattern
from activities.pinned_http import host_of
from activities.store.keys import DEFAULT_TEAM
from activities.webhooks.errors import EndpointRefused
from activities.webhooks.options import WebhookOptions
from workflows.addresses import is_loopback

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``origin`` tells receivers apart; ``is_inside``: it may have a private address."""

    url: httpx2.URL
    origin: str
    is_inside: bool


class WebhookPolicy:
    """Whom ``options`` allow to be called. Addresses behind names are judged when they are."""

    def __init__(self, options: WebhookOptions) -> None:
        self._public = tuple(map(HostPattern.parse, options.hosts))
        self._private = tuple(map(HostPattern.parse, options.private_hosts))
        self._loopback = options.loopback

    def judge(self, team_id: UUID, url: str) -> Endpoint:
        """Raises ``EndpointRefused``."""
        try:
            parsed = httpx2.URL(url)
            host = host_of(parsed).strip("[]").lower()
        except httpx2.InvalidURL as error:
            raise EndpointRefused(url=url, reason="it is not a URL") from error
        if parsed.scheme not in _PORTS or not host:
            raise EndpointRefused(url=url, reason="it is neither https:// nor http://")
        port = parsed.port or _PORTS[parsed.scheme]
        is_inside = self._is_inside(team_id, host, port)
        if not is_inside:
            self._check_public(url, parsed.scheme, host, port)
        shown = f"[{host}]" if ":" in host else host
        return Endpoint(parsed, f"{parsed.scheme}://{shown}:{port}", is_inside)

    def _is_inside(self, team_id: UUID, host: str, port: int) -> bool:
        if self._loopback and team_id == DEFAULT_TEAM and is_loopback(host):
            return True
        return any(pattern.fits(host, port) for pattern in self._private)

    def _check_public(self, url: str, scheme: str, host: str, port: int) -> None:
        inside = "AGENTOS_WEBHOOK_PRIVATE_HOSTS"
        if scheme != "https":
            raise EndpointRefused(url=url, reason=f"http:// is for hosts in {inside} only")
        if not any(pattern.fits(host, port) for pattern in self._public):
            reason = f"{host}:{port} is not among AGENTOS_WEBHOOK_HOSTS"
            raise EndpointRefused(url=url, reason=reason)
        # Of a name that is known when it is called, and may be another then.
        address = as_address(host)
        if address is not None and not is_public(address):
            may_be = f"; {inside} may have it" if is_private(address) else ""
            raise EndpointRefused(url=url, reason=f"{host} is not a public address{may_be}")
