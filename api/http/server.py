"""Serving the application over HTTP."""

import asyncio
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api.http.connections import Connections
from api.http.notifications import Notifications
from api.http.sleeping_server import SleepingServer

# Requests under way are let through; streams of events end at once, and their clients come back.
STOP_SECONDS = 5


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled."""
    connections = Connections(app.state.services.options.connections)
    config = uvicorn.Config(
        app,
        http=connections.protocol,  # type: ignore[arg-type]
        # Of a connection that is handed over to another protocol nobody would know any more.
        ws="none",
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config, app.state.notifications)
    serving = asyncio.ensure_future(server.serve())
    watching = asyncio.create_task(connections.watch(), name="connections")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.stop()
        await serving
        raise
    finally:
        watching.cancel()


class _Server(SleepingServer):
    def __init__(self, config: uvicorn.Config, notifications: Notifications) -> None:
        super().__init__(config)
        self._notifications = notifications

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Unlike its base class, it does not raise the signal again in the end: that would kill the
        # process before its caller could close what it holds.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream ends when its task does, which may be tomorrow.
        self._notifications.close()
        await super().shutdown(sockets)
