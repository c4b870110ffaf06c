"""Whose socket is at the other end of a TCP connection within this machine, asked of the kernel."""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final, Self

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBBBI")  # family, protocol, extensions, padding, states
_SOCKET_ID: Final = struct.Struct("!HH16s16s")  # ports and addresses, the socket's own first
_COOKIE: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any interface, any cookie
_ANSWER: Final = struct.Struct("=BBBB48xIIIII")  # family, state, ...; the last two: uid, inode
_ANSWER_BYTES: Final = 8192
_WAIT_SECONDS: Final = 1.0  # the kernel answers within microseconds

# The states of <net/tcp_states.h> in which a process still has a socket.
_ESTABLISHED, _CLOSE_WAIT = 1, 8
_LIVING: Final = frozenset({_ESTABLISHED, 4, 5, _CLOSE_WAIT})
_ANY_STATE: Final = 0xFFFFFFFF

_MAX_UIDS: Final = 4_294_967_295
_DEFAULT_OVERFLOW_UID: Final = 65_534


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a connection; an IPv4 address that is written as IPv6 is an IPv4 address."""

    address: str
    port: int

    @classmethod
    def of(cls, name: tuple[object, ...]) -> Self:
        """From what ``getsockname`` or ``getpeername`` gives."""
        return cls(_plain(str(name[0])), int(str(name[1])))


def owner_of(own: Endpoint, other: Endpoint) -> int | None:
    """The uid of the socket that is bound to ``own`` and connected to ``other``.

    None where no living process has it (the socket of one that has closed it is root's, and so no
    proof of anything), where the kernel does not tell, and for a user that this process's user
    namespace does not know.
    """
    try:
        uid = _ask(own, other) if _can_be_asked() else _read(own, other)
    except OSError:
        return None
    return None if uid is None or _is_unknown(uid) else uid


def is_connected(own: socket.socket) -> bool:
    """Whether a TCP socket still has its connection, so that its addresses are nobody else's."""
    try:
        return own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _LIVING
    except OSError:
        return False


@cache
def _can_be_asked() -> bool:
    """Whether the kernel, or what a container makes of it, answers about a connection of ours."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as client,
        ):
            own, other = Endpoint.of(client.getsockname()), Endpoint.of(client.getpeername())
            return _ask(own, other) is not None
    except OSError:
        return False


def _ask(own: Endpoint, other: Endpoint) -> int | None:
    family = socket.AF_INET6 if ":" in own.address else socket.AF_INET
    wanted = _SOCKET_ID.pack(own.port, other.port, _packed(own), _packed(other))
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE) + wanted + _COOKIE
    size = _HEADER.size + len(request)
    head = _HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_WAIT_SECONDS)
        kernel.sendto(head + request, (0, 0))
        answer = kernel.recv(_ANSWER_BYTES)
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY or len(answer) < _HEADER.size + _ANSWER.size:
        return None
    _, state, *_, uid, inode = _ANSWER.unpack_from(answer, _HEADER.size)
    ports_and_addresses = _SOCKET_ID.unpack_from(answer, _HEADER.size + 4)
    found = _endpoints(*ports_and_addresses, is_v6=answer[_HEADER.size] == socket.AF_INET6)
    # Without an exact match the kernel falls back to whoever listens on the port.
    return uid if found == (own, other) and state in _LIVING and inode else None


def _endpoints(
    port: int, other_port: int, address: bytes, other_address: bytes, *, is_v6: bool
) -> tuple[Endpoint, Endpoint]:
    size = 16 if is_v6 else 4
    own, other = (_plain(str(ip_address(raw[:size]))) for raw in (address, other_address))
    return Endpoint(own, port), Endpoint(other, other_port)


def _packed(end: Endpoint) -> bytes:
    return ip_address(end.address).packed


def _read(own: Endpoint, other: Endpoint) -> int | None:
    """The same from the tables in /proc, which the kernel writes out whole: some milliseconds."""
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):  # no IPv6 on this machine
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()  # see proc_pid_net(5)
                ends = (_parsed(columns[1]), _parsed(columns[2]))
                if ends == (own, other) and int(columns[3], 16) in _LIVING and columns[9] != "0":
                    return int(columns[7])
    return None


def _parsed(text: str) -> Endpoint:
    address, _, port = text.partition(":")
    words = struct.unpack(f">{len(address) // 8}I", bytes.fromhex(address))
    packed = struct.pack(f"={len(words)}I", *words)  # each word is in the machine's own order
    return Endpoint(_plain(str(ip_address(packed))), int(port, 16))


def _plain(address: str) -> str:
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def _is_unknown(uid: int) -> bool:
    """Whether the uid stands for all users that have no name in our user namespace."""
    try:
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text())
        maps = Path("/proc/self/uid_map").read_text().split()
    except OSError:
        return uid == _DEFAULT_OVERFLOW_UID
    return uid == overflow and maps != ["0", "0", str(_MAX_UIDS)]
