"""Serving the application over HTTP."""

import socket

import uvicorn
from fastapi import FastAPI

from api.notifications import Notifications

# Requests under way are let through; streams of events end at once, and their clients come back.
STOP_SECONDS = 5


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    await _Server(config, app.state.notifications).serve()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, notifications: Notifications) -> None:
        super().__init__(config)
        self._notifications = notifications

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream ends when its task does, which may be tomorrow.
        self._notifications.close()
        await super().shutdown(sockets)
