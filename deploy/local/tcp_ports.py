"""Free TCP ports on the loopback interface."""

import errno
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LISTEN = "0A"  # TCP_LISTEN of net/tcp_states.h
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _MOST_TRIES = 20_000, 100
_CONNECT_SECONDS = 0.2  # to this machine: more only where a queue of connections is full


Suits = Callable[[int], bool]
"""Whether a port that is free will do: a program may need more than the port. It may make way for
the program meanwhile."""


def any_port(port: int) -> bool:
    """It will do."""
    return True


def choose_ports(wanted: Sequence[int | None], suits: Suits = any_port) -> list[int]:
    """One port for each wanted one: itself when it is free, else (or for None) any free one that
    ``suits``.

    All are held open until the last is chosen, so that no two are the same. Another program can
    still take one before its user binds it; who starts that user starts it again with new ports.
    """
    with ExitStack() as held:
        return [_reserve(held, port, suits) for port in wanted]


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` now."""
    listener = _bind(port)
    if listener is not None:
        listener.close()
    return listener is not None


def find_silent(pid: int, ports: Sequence[int]) -> int | None:
    """The first of ``ports`` on which that very process does not listen; another one may."""
    for port in ports:
        if _refuses(port):
            return port
    # Only now: the kernel may take 8 ms to write its table out.
    listeners, own = _listeners(pid), set(_open_files(pid))
    return next((port for port in ports if own.isdisjoint(listeners.get(port, ()))), None)


def _refuses(port: int) -> bool:
    """Whether nobody at all listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(_CONNECT_SECONDS)
        return client.connect_ex((LOOPBACK, port)) == errno.ECONNREFUSED


def _listeners(pid: int) -> Mapping[int, set[str]]:
    """The sockets that listen on each port where ``pid`` is, as links in /proc name them."""
    found: dict[int, set[str]] = {}
    with suppress(FileNotFoundError):
        for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()  # see proc_pid_net(5): local address, state, inode
            if columns[3] == _LISTEN:
                port = int(columns[1].rpartition(":")[2], 16)
                found.setdefault(port, set()).add(f"socket:[{columns[9]}]")
    return found


def _open_files(pid: int) -> Iterator[str]:
    with suppress(FileNotFoundError):  # it, or one of its files, is gone
        for file in Path(f"/proc/{pid}/fd").iterdir():
            yield str(file.readlink())


def _reserve(held: ExitStack, port: int | None, suits: Suits) -> int:
    for candidate in (*([port] if port else []), *_candidates()):
        if (listener := _bind(candidate)) is None:
            continue
        number: int = listener.getsockname()[1]
        if number == port or suits(number):
            held.enter_context(listener)
            return number
        listener.close()
    raise OSError(errno.EADDRINUSE, "no TCP port that will do is free on the loopback interface")


def _candidates() -> Iterator[int]:
    """Ports that the kernel gives to no outgoing connection; then any.

    Such a connection could take a server's port before the server has it, or while it is restarted:
    a client that tries to reach it again and again may even end up connected to itself.
    """
    first_outgoing = int(_OUTGOING.read_text().split()[0])
    if first_outgoing > _LOWEST:
        for _ in range(_MOST_TRIES):
            yield _LOWEST + secrets.randbelow(first_outgoing - _LOWEST)
    for _ in range(_MOST_TRIES):
        yield 0


def _bind(port: int) -> socket.socket | None:
    """A listener on a port; None where there is one already, or may be none."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As servers do: connections of an ended server, waiting out their last minute, take no port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1)  # two sockets may both be bound under SO_REUSEADDR, but not both listen
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return None
        raise
    return listener
