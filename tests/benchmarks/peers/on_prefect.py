"""Prefect with a local server of its own: a flow of three tasks."""

import asyncio
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.benchmarks.peers.serving import serve, start_server, told
from tests.benchmarks.plain_sandbox import STEPS

_HOST = "127.0.0.1"
_START_SECONDS = 300
_POLL_SECONDS = 0.2


async def main() -> None:
    sandbox, folder = told()
    os.environ |= {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    with _server() as url:
        os.environ["PREFECT_API_URL"] = url
        # Only now, because Prefect reads its settings when it is imported.
        import prefect
        from prefect.cache_policies import NO_CACHE

        @prefect.task(cache_policy=NO_CACHE)
        async def write() -> str:
            return str(await sandbox.write())

        @prefect.flow
        async def steps() -> None:
            for _ in range(STEPS):
                await write()

        await serve(steps)


@contextmanager
def _server() -> Iterator[str]:
    """Its address, once it answers."""
    with socket.create_server((_HOST, 0)) as free:
        port = free.getsockname()[1]
    command = ("prefect", "server", "start", "--host", _HOST, "--port", str(port))
    process = start_server(sys.executable, "-m", *command)
    url = f"http://{_HOST}:{port}/api"
    try:
        until = time.monotonic() + _START_SECONDS
        while not _answers(f"{url}/health"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("The server of Prefect did not start")
            time.sleep(_POLL_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=_POLL_SECONDS * 10) as answer:
        return bool(answer.status == 200)
    return False


asyncio.run(main())
