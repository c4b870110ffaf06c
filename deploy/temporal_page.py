"""A lock for the web page of a Temporal that has none, in `deploy/compose.yaml`.

``python -m deploy.temporal_page HOST PORT``: the page that is there is served on port 8233 of every
interface, as 127.0.0.1 and localhost only, to whoever has the key in AGENTOS_TEMPORAL_UI_KEY.
"""

import asyncio
import signal
import socket
import sys
from functools import partial

from deploy import variables
from deploy.local.gate import MAX_HEAD_BYTES, Gate
from workflows.errors import BadInput

PORT = 8233
_LEAST_KEY_CHARACTERS = 20
_CONNECT_SECONDS = 5.0


class PageKeyMissing(BadInput):
    """AGENTOS_TEMPORAL_UI_KEY, the key of Temporal's web page, is missing or has fewer than {least}
    characters. Write one to deploy/.env, such as `openssl rand -hex 20` prints."""


async def serve(host: str, port: int, key: str, listener: socket.socket) -> asyncio.Server:
    """Serve the page at ``host`` and ``port`` on a socket that listens.

    Raises:
        PageKeyMissing: so short a key could be guessed.
    """
    if len(key) < _LEAST_KEY_CHARACTERS:
        raise PageKeyMissing(least=_LEAST_KEY_CHARACTERS)

    async def connect(_: int) -> socket.socket | None:
        address = (host, port)
        try:
            made = await asyncio.to_thread(socket.create_connection, address, _CONNECT_SECONDS)
        except OSError:
            return None
        made.setblocking(False)
        return made

    # Whose a connection is cannot be told in a container: all come from what publishes the port.
    gate = Gate(key, "AGENTOS_TEMPORAL_UI_KEY in deploy/.env", connect, lambda connection: False)
    return await asyncio.start_server(partial(gate.http, 0), sock=listener, limit=MAX_HEAD_BYTES)


async def _until_signal(host: str, port: int) -> None:
    # The first process of a container is not ended by a signal that it does not expect.
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = socket.create_server(("", PORT))
    server = await serve(host, port, variables.temporal_page_key(), listener)
    await stop.wait()
    server.close()


def main(host: str, port: str) -> None:
    try:
        asyncio.run(_until_signal(host, int(port)))
    except PageKeyMissing as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
