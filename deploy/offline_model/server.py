"""Serving the offline model on the loopback interface."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.requests import Request

from api.http.sleeping_server import SleepingServer
from deploy.local.errors import PortTaken
from deploy.offline_model.app import ModelServerOptions, create_app
from deploy.offline_model.errors import NotLoopback
from workflows.addresses import is_loopback

LOOPBACK = "127.0.0.1"
_STOP_SECONDS = 1


async def serve(
    host: str, port: int, options: ModelServerOptions, on_ready: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; port 0 is any that is free.

    ``on_ready`` is given the base URL, which ends with ``/v1``.

    Raises:
        NotLoopback: ``host`` could be reached from elsewhere, and this asks nobody for a key.
        PortTaken: another program listens there.
    """
    with _listener(host, port) as listener:
        server = _Server(options)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        on_ready(_base_url(listener))
        await server.serve([listener])


@asynccontextmanager
async def serving(options: ModelServerOptions) -> AsyncIterator[str]:
    """Serve inside this process, on a free port; gives the base URL."""
    with _listener(LOOPBACK, 0) as listener:
        server = _Server(options)
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield _base_url(listener)
        finally:
            server.stop()
            await task


class _Server(SleepingServer):
    def __init__(self, options: ModelServerOptions) -> None:
        config = uvicorn.Config(
            create_app(options, self.drop),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        super().__init__(config)

    def drop(self, request: Request) -> None:
        """Cut the connection that a request came on, without another word."""
        for connection in list(self.server_state.connections):
            address = getattr(connection, "client", None)
            if request.client and address == tuple(request.client) and connection.transport:
                connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals are for whoever runs the server, who may have more to do than this.
        yield


def _listener(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        raise NotLoopback(host=host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port=port) from error
        raise
    # Its connections inherit this. asyncio sets it only for listeners that it made itself, and
    # without it the second piece of an answer waits 40 ms for the client to acknowledge the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _base_url(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"
