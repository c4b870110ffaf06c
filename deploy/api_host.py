"""Where the API listens. It imports little: a wrong address is told before the API is loaded."""

import ipaddress

from workflows.addresses import is_loopback
from workflows.errors import BadInput


class HostMalformed(BadInput):
    """--host {host!r} is not an IP address. Use 127.0.0.1 to be reached from this machine only, or
    0.0.0.0 to be reached at every address of it."""


def reaches_only_us(host: str) -> bool:
    """Raises ``HostMalformed``."""
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise HostMalformed(host=host) from error
    return is_loopback(host)
