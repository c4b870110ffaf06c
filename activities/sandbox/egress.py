"""The way out of a job that may use the network: an HTTP proxy, which decides where to.

The job itself is in a network of its own, with nothing in it but this. Names are resolved here,
every address is judged, and the connection goes to a judged one: no trick with names leads to this
machine, to private networks, or to where clouds keep the secrets of machines.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog

from activities.inputs.policy import HostPattern
from activities.pinned_http import Resolve, judged_addresses
from workflows.errors.hosts import AddressNotPublic

# Where the proxy is, within the network of the job.
PROXY_PORT = 3128
_SOURCE = "127.0.0.2"  # our API takes nobody from there for the user who runs it

_MAX_CONNECTIONS = 64  # of one job at once; further ones wait
_ACCEPT_PAUSE_SECONDS = 0.001  # a job that only connects leaves time to its neighbours
_BREATH_SECONDS = 0.2
_MAX_HEAD_BYTES = 32 * 1024
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 20.0
_PIECE_BYTES = 64 * 1024
_RESOLVERS = 4
_HTTP_PORT = 80
_END_OF_HEAD = b"\r\n\r\n"
_HOP_BY_HOP = (b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization")

log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The status and the words that the job gets."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Request:
    """``head`` is what goes on to the host; None for a tunnel."""

    host: str
    port: int
    head: bytes | None


class Egress:
    """Serves the ways out of all jobs of a worker.

    ``private_hosts`` are patterns (``tracker:8080``) of hosts that may be on private addresses or
    on this machine; all others must have addresses of the public internet.
    """

    def __init__(
        self, private_hosts: Sequence[str] = (), *, resolve: Resolve | None = None
    ) -> None:
        self._private = tuple(map(HostPattern.parse, private_hosts))
        self._resolve = resolve or self._resolve_by_system
        # Its own: a job that asks for slow names must not keep the worker's other threads busy.
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, "egress-resolver")

    def close(self) -> None:
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def serving(self, sandbox: socket.socket) -> AsyncIterator[None]:
        """Serve one job while the block runs; ``sandbox`` is where its listener comes from."""
        serving = asyncio.create_task(self._serve(sandbox))
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait({serving})
            if not serving.cancelled() and (error := serving.exception()):
                log.warning("egress.failed", exc_info=error)

    async def _serve(self, sandbox: socket.socket) -> None:
        listener = await _received(sandbox)
        if listener is None:  # The job ended, or was not started.
            return
        loop, free = asyncio.get_running_loop(), asyncio.Semaphore(_MAX_CONNECTIONS)
        with listener:
            async with asyncio.TaskGroup() as connections:
                while True:
                    await free.acquire()
                    try:
                        accepted, _ = await loop.sock_accept(listener)
                    except OSError as error:  # The machine is out of descriptors, say.
                        log.warning("egress.not_accepted", reason=error.strerror)
                        free.release()
                        await asyncio.sleep(_BREATH_SECONDS)
                        continue
                    task = connections.create_task(self._attend(accepted))
                    task.add_done_callback(lambda _: free.release())
                    await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)

    async def _attend(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(sock=accepted, limit=_MAX_HEAD_BYTES)
            with contextlib.closing(writer):
                try:
                    async with asyncio.timeout(_HEAD_SECONDS):
                        head = await reader.readuntil(_END_OF_HEAD)
                    await self._pass_on(_parsed(head), reader, writer)
                except asyncio.LimitOverrunError:
                    await _answer(writer, _Refused(431, "The head of the request is too long"))
                except _Refused as refused:
                    await _answer(writer, refused)

    async def _pass_on(
        self, request: _Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        far_reader, far_writer = await self._connect(request.host, request.port)
        with contextlib.closing(far_writer):
            if request.head is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far_writer.write(request.head)
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, far_writer))
                both.create_task(_copy(far_reader, writer))

    async def _connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                for address in await self._addresses(host, port):
                    with contextlib.suppress(OSError):
                        return await asyncio.open_connection(
                            address, port, local_addr=_source(address)
                        )
        except TimeoutError:
            raise _Refused(504, f"{host}:{port} does not answer") from None
        raise _Refused(502, f"{host}:{port} cannot be reached")

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        is_inside = any(pattern.fits(host, port) for pattern in self._private)
        try:
            found = await judged_addresses(host, port, self._resolve, is_inside=is_inside)
        except (OSError, ValueError):
            raise _Refused(502, f"{host} has no address") from None
        except AddressNotPublic as error:
            log.info("egress.refused", host=host, port=port)
            raise _Refused(
                403,
                f"{host} is inside this network ({error.fields['address']}): skills may reach only "
                f"public addresses and the hosts in AGENTOS_SKILL_PRIVATE_HOSTS ({host}:{port})",
            ) from None
        # Over IPv6 loopback has one address, so that we could not be told from its user.
        return [address for address in found if not (is_inside and address == "::1")]

    async def _resolve_by_system(self, host: str, port: int) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._resolvers, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(item[4][0]) for item in found))


async def _received(sandbox: socket.socket) -> socket.socket | None:
    """The listener in the network of the job."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sandbox, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sandbox)
    _, descriptors, _, _ = socket.recv_fds(sandbox, 1, 1)
    if not descriptors:
        return None
    listener = socket.socket(fileno=descriptors[0])
    listener.setblocking(False)
    return listener


def _source(address: str) -> tuple[str, int] | None:
    parsed = ip_address(address.partition("%")[0])
    return (_SOURCE, 0) if parsed.is_loopback and parsed.version == 4 else None


def _parsed(head: bytes) -> _Request:
    """Raises ``_Refused`` for what is no request to a proxy."""
    line, *fields = head[: -len(_END_OF_HEAD)].split(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _Refused(400, "This is no HTTP request") from None
    if not host or (method == "CONNECT" and not port):
        raise _Refused(400, "This is the proxy of the sandbox: ask it for a whole URL")
    if method == "CONNECT":
        return _Request(host, port or _HTTP_PORT, None)
    if parts.scheme != "http":
        raise _Refused(400, f"The proxy of the sandbox knows no {parts.scheme}: use CONNECT")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [field for field in fields if _name(field) not in _HOP_BY_HOP]
    # One request only: the next one may be for another host.
    first = f"{method} {path} {version}".encode("ascii")
    lines = [first, *kept, b"Connection: close"]
    return _Request(host, port or _HTTP_PORT, b"\r\n".join(lines) + _END_OF_HEAD)


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Up to the end of the source, which the target is told, or until the target is gone."""
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE_BYTES):
            target.write(piece)
            await target.drain()
    with contextlib.suppress(OSError):
        target.write_eof()


async def _answer(writer: asyncio.StreamWriter, refused: _Refused) -> None:
    """The reason also as the reason phrase: of the answer to CONNECT, clients show nothing else."""
    reason = str(refused).encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    body = reason + b".\n"
    writer.write(
        b"HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%s" % (refused.status, reason, len(body), body)
    )
    await writer.drain()
