"""What stands before the embedded Temporal, which authenticates nobody.

The server runs in a network of its own, which only this process reaches. It listens on the ports
that others know, and lets in the user who runs the stack and root, as the kernel tells them; the
web page takes others, too, who have the stack's key.

``python -m deploy.local.front KEY_FILE PORT UI_PORT HTTP_PORT COMMAND...``; the ports at which the
command has to listen are added to it.
"""

import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NoReturn

from deploy.local.launcher import die_with
from deploy.local.network import enter_network

LOOPBACK = "127.0.0.1"
NO_NAMESPACE = "front: no network namespace"  # in the log, where `agentos doctor` finds it
_OPTIONS = ("--port", "--ui-port", "--http-port")
_CONNECT_SECONDS = 5.0
_MESSAGE = struct.Struct("=i")


def main(key_file: str, *arguments: str) -> None:
    ports, command = [int(port) for port in arguments[:3]], arguments[3:]
    # All are taken before the server starts: one that another program has is soon known.
    listeners = [socket.create_server((LOOPBACK, port)) for port in ports]
    inside, outside = socket.socketpair()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        for each in (outside, *listeners):
            each.close()
        _run_inside(inside, parent, ports, command)
    inside.close()
    # Loaded while the server starts.
    from deploy.local.gate import serve

    raise SystemExit(serve(listeners, outside, child, Path(key_file).read_text()))


def _run_inside(
    outside: socket.socket, parent: int, ports: Sequence[int], command: Sequence[str]
) -> NoReturn:
    """Start the server where nobody else is, and connect to it for the process outside."""
    try:
        enter_network()
    except OSError as error:
        print(f"{NO_NAMESPACE}: {error.strerror}", file=sys.stderr, flush=True)  # noqa: T201
        ports = _free_ports(len(ports))
    die_with(parent, signal.SIGKILL)  # after the namespace, which clears it
    options = [word for pair in zip(_OPTIONS, map(str, ports), strict=True) for word in pair]
    own, server = os.getpid(), os.fork()
    if server == 0:
        outside.close()
        die_with(own, signal.SIGKILL)
        os.execv(command[0], [*command, *options])  # noqa: S606  (an exact path, no shell)
    outside.sendall(_MESSAGE.pack(server))
    threading.Thread(target=_connect, args=(outside, ports), daemon=True).start()
    _, status = os.waitpid(server, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        chosen = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in chosen]


def _connect(outside: socket.socket, ports: Sequence[int]) -> None:
    """Give a connection to the server for each number of a port that comes; none is no answer."""
    while message := outside.recv(_MESSAGE.size, socket.MSG_WAITALL):
        connections = []
        with suppress(OSError):
            (number,) = _MESSAGE.unpack(message)
            address = (LOOPBACK, ports[number])
            connections.append(socket.create_connection(address, timeout=_CONNECT_SECONDS))
        socket.send_fds(outside, [b"."], [each.fileno() for each in connections])
        for each in connections:
            each.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
