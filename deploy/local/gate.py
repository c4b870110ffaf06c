"""Who is let in to a Temporal that asks nobody for a key, and how bytes go to and fro."""

import asyncio
import hashlib
import hmac
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import parse_qs, urlsplit

from activities.socket_owner import Endpoint, is_connected, owner_of
from workflows.addresses import is_loopback

Connect = Callable[[int], Awaitable[socket.socket | None]]

COOKIE = "agentos_temporal"
LOGIN = "/agentos-login"
_MESSAGE = struct.Struct("=i")
MAX_HEAD_BYTES = 64 * 1024
_MAX_FORM_BYTES = 1024
_HEAD_SECONDS = 30.0
_PAGE = """<!doctype html><meta charset="utf-8"><title>Temporal</title>
<form method="post" action="{login}"><p>{reason}</p>
<p><label>Key of the stack ({place})
<input type="password" name="key" autofocus></label> <button>Log in</button></form>"""


class _Refused(Exception):
    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def serve(listeners: Sequence[socket.socket], inside: socket.socket, child: int, key: str) -> int:
    """Serve until ``child`` ends; gives its exit code. SIGTERM is passed on to the server."""
    return asyncio.run(_serve(listeners, inside, child, key))


async def _serve(
    listeners: Sequence[socket.socket], inside: socket.socket, child: int, key: str
) -> int:
    loop = asyncio.get_running_loop()
    inside.setblocking(False)
    (server,) = _MESSAGE.unpack(await loop.sock_recv(inside, _MESSAGE.size))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _pass_on, server, number)
    place = "secrets/temporal-key in its data folder"
    gate = Gate(key, place, _Inside(inside).connection, is_owners)
    grpc, page, http = listeners
    serving = [
        await asyncio.start_server(partial(gate.grpc, 0), sock=grpc),
        await asyncio.start_server(partial(gate.http, 1), sock=page, limit=MAX_HEAD_BYTES),
        await asyncio.start_server(partial(gate.http, 2), sock=http, limit=MAX_HEAD_BYTES),
    ]
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    for each in serving:
        each.close()
    return os.waitstatus_to_exitcode(status)


def _pass_on(server: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(server, number)


class Gate:
    """Lets in whom ``is_known`` knows by the connection; others reach pages with the key alone."""

    def __init__(
        self, key: str, place: str, connect: Connect, is_known: Callable[[socket.socket], bool]
    ) -> None:
        """``place`` tells people where the key is; ``connect`` is given the number of a port."""
        self._key = key
        self._place = place
        self._cookie = hashlib.sha256(key.encode()).hexdigest()
        self._connect = connect
        self._is_known = is_known

    async def grpc(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Nothing but its owner's connections: the protocol has no words for others here."""
        try:
            if self._is_known(writer.get_extra_info("socket")):
                connection = await self._connect(number)
                if connection is not None:
                    await _join(connection, reader, writer)
        finally:
            writer.close()

    async def http(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One request a connection, so that each is looked at."""
        try:
            with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_HEAD_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    fields = _fields(head)
                    check_page(fields)
                    if not self._is_known(writer.get_extra_info("socket")):
                        await self._log_in(head, fields, reader)
                connection = await self._connect(number)
                if connection is None:
                    raise _Refused("502 Bad Gateway", "Temporal does not answer.")
                await _join(connection, reader, writer, _closing(head))
        except _Refused as refused:
            writer.write(_answer(refused, self._cookie, self._place))
            with suppress(OSError):
                await writer.drain()
        finally:
            writer.close()

    async def _log_in(
        self, head: bytes, fields: dict[str, str], reader: asyncio.StreamReader
    ) -> None:
        """Raises ``_Refused`` for who has not shown the key yet; that is also how he is let in."""
        if f"{COOKIE}={self._cookie}" in fields.get("cookie", "").replace(" ", "").split(";"):
            return
        if head.startswith(f"POST {LOGIN} ".encode()):
            size = fields.get("content-length", "")
            if size.isdecimal() and int(size) <= _MAX_FORM_BYTES:
                form = parse_qs((await reader.readexactly(int(size))).decode("ascii", "replace"))
                if hmac.compare_digest(form.get("key", [""])[0].encode(), self._key.encode()):
                    raise _Refused("303 See Other", "")
            raise _Refused("401 Unauthorized", "That is not the key.")
        reason = "This connection is not known for one of the user who runs the stack."
        raise _Refused("401 Unauthorized", reason)


class _Inside:
    """The process in the server's network, which makes connections there."""

    def __init__(self, inside: socket.socket) -> None:
        self._inside = inside
        self._one_at_a_time = asyncio.Lock()

    async def connection(self, number: int) -> socket.socket | None:
        """A connection to a port of the server; None if it takes none."""
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            await loop.sock_sendall(self._inside, _MESSAGE.pack(number))
            readable = asyncio.Event()
            loop.add_reader(self._inside, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._inside)
            _, descriptors, _, _ = socket.recv_fds(self._inside, 1, 1)
        if not descriptors:
            return None
        connection = socket.socket(fileno=descriptors[0])
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def is_owners(connection: socket.socket) -> bool:
    """Whether the kernel knows the other end for root's, or for that of whoever we are."""
    try:
        own = Endpoint.of(connection.getsockname())
        other = Endpoint.of(connection.getpeername())
    except OSError:
        return False
    is_plain = other.address == "127.0.0.1"  # sandboxes come from another address of loopback
    uid = owner_of(other, own) if is_plain else None
    return uid in (0, os.geteuid()) and is_connected(connection)


def check_page(fields: dict[str, str]) -> None:
    """Raises ``_Refused`` for what a foreign web page, or a name that was made to lead here (DNS
    rebinding), has a browser send."""
    host = fields.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if not is_loopback(name):
        raise _Refused("403 Forbidden", "This is served as 127.0.0.1 and localhost only.")
    origin = fields.get("origin")
    is_foreign = origin is not None and origin.partition("://")[2] != host
    if is_foreign or fields.get("sec-fetch-site") == "cross-site":
        raise _Refused("403 Forbidden", "Requests of other pages are refused.")


def _fields(head: bytes) -> dict[str, str]:
    """The first of each field, in lower case; a second one of those that count is refused."""
    found: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n")[1:-2]:
        name, _, value = line.partition(":")
        if name.lower() in found and name.lower() in {"host", "origin"}:
            raise _Refused("400 Bad Request", "A field is there twice.")
        found.setdefault(name.lower(), value.strip())
    return found


def _closing(head: bytes) -> bytes:
    first, *lines = head[:-4].split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n"


def _answer(refused: _Refused, cookie: str, place: str) -> bytes:
    body = _PAGE.format(login=LOGIN, reason=refused, place=place).encode()
    fields = ["Content-Type: text/html; charset=utf-8"]
    if refused.status.startswith("303"):
        set_cookie = f"Set-Cookie: {COOKIE}={cookie}; HttpOnly; SameSite=Strict; Path=/"
        fields, body = ["Location: /", set_cookie], b""
    elif not refused.status.startswith("401"):
        fields, body = ["Content-Type: text/plain"], f"{refused}\n".encode()
    fields += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([f"HTTP/1.1 {refused.status}", *fields, "\r\n"]).encode() + body


async def _join(
    connection: socket.socket,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    first: bytes = b"",
) -> None:
    far_reader, far_writer = await asyncio.open_connection(sock=connection)
    try:
        far_writer.write(first)
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, far_writer))
            both.create_task(_copy(far_reader, writer))
    finally:
        far_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    with suppress(OSError):
        target.write_eof()
