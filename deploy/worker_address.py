"""Where a worker answers monitors."""

import re
import socket
from ipaddress import ip_address

from workflows.errors import AgentOSError

DEFAULT_ADDRESS = "127.0.0.1:8010"
OFF = "off"

_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})")
_BACKLOG = 32


class WorkerPortUnusable(AgentOSError):
    """The worker cannot answer monitors at {address}: {reason}. Stop the program that uses it, or
    choose another address with AGENTOS_WORKER_ADDRESS; off is for none."""


def check_address(address: str) -> None:
    """Raises ``ValueError`` for what is no IP address with a port."""
    if address != OFF:
        _parsed(address)


def listener_at(address: str) -> socket.socket | None:
    """What listens there; None where nothing is to. The usual port gives way where it is taken, as
    by another worker of this machine.

    Raises:
        WorkerPortUnusable: another one is.
    """
    if address == OFF:
        return None
    host, port = _parsed(address)
    try:
        return _listening(host, port)
    except OSError as error:
        if address != DEFAULT_ADDRESS:
            raise WorkerPortUnusable(address=address, reason=error.strerror) from error
    return _listening(host, 0)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _parsed(address: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > 65_535:
        raise ValueError(address)
    host = found["v6"] or found["v4"]
    ip_address(host)
    return host, int(found["port"])
