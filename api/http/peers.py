"""Who is at the other end of a connection: the user who runs this server, or somebody else."""

import asyncio
import os
import socket

from starlette.datastructures import Headers
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from activities.socket_owner import Endpoint, is_connected, owner_of

ROOT_UID = 0
_PEER = "peer"
# A sandbox's way out comes from another address of 127.0.0.0/8 than programs of this machine do.
_OWN_ADDRESSES = ("127.0.0.1", "::1")
# What proxies add: behind one, everybody's connection is the proxy's.
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Peer:
    """The other end of one connection. It is looked up once, when it is first asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stranger: str | None = None
        self._is_known = False

    def stranger(self) -> str | None:
        """Why it is not the user who runs this server, nor root; None when it is."""
        if not self._is_known:
            self._stranger = _stranger(self._connection)
            self._is_known = True
        return self._stranger


class PeerProtocol(H11Protocol):
    """HTTP over a connection whose requests have a ``Peer`` in their state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            self.app_state = {**self.app_state, _PEER: Peer(connection)}


def why_stranger(scope: Scope) -> str | None:
    """Why a request may not come from the user who runs this server; None when it does."""
    headers = Headers(scope=scope)
    for name in _PROXY_HEADERS:
        if name in headers:
            return f"This request was passed on by a proxy (it has the header {name})"
    peer = scope.get("state", {}).get(_PEER)
    if not isinstance(peer, Peer):
        return "Nothing tells which user this request comes from"
    return peer.stranger()


def _stranger(connection: socket.socket) -> str | None:
    try:
        own = Endpoint.of(connection.getsockname())
        other = Endpoint.of(connection.getpeername())
    except OSError:
        return "This connection is gone"
    if other.address not in _OWN_ADDRESSES:
        return f"This connection comes from {other.address}, not directly from this machine"
    uid = owner_of(other, own)
    # Were it not, the addresses could by now be those of somebody else's connection.
    if uid is None or not is_connected(connection):
        return "The kernel does not tell which user this connection comes from"
    if uid in (ROOT_UID, os.geteuid()):
        return None
    return f"This connection comes from another user of this machine (uid {uid})"
