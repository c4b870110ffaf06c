"""HTTP for loads of many at once, by a client that takes hardly anything of the processors itself.

One of Python looks through all its connections at each request: with a hundred at once it takes as
much of a processor as the API that it asks. That of Temporal, which starts the baseline, is of Rust
as well.
"""

import json
from typing import Any

from pyqwest import Client, FullResponse, HTTPTransport, Proxy

# Gives connections up before the server does: no request meets one that is just being closed.
_IDLE_SECONDS = 1.0
_MOST_IDLE = 1_000
# Whatever the environment says: the API is on this machine.
_NO_PROXY = Proxy("http://localhost", no_proxy="127.0.0.0/8")


class LightHttp:
    """Speaks JSON with one server. Each request has a connection while it waits."""

    def __init__(self, base_url: str, *, timeout_seconds: float) -> None:
        self._base_url = base_url
        self._client = Client(
            HTTPTransport(
                proxy=_NO_PROXY,
                timeout=timeout_seconds,
                pool_idle_timeout=_IDLE_SECONDS,
                pool_max_idle_per_host=_MOST_IDLE,
            )
        )

    async def get(self, path: str) -> dict[str, Any]:
        return _read(await self._client.get(self._base_url + path))

    async def post(self, path: str, body: object) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        content = json.dumps(body).encode()
        return _read(await self._client.post(self._base_url + path, headers, content))


def _read(response: FullResponse) -> dict[str, Any]:
    if not 200 <= response.status < 300:
        raise RuntimeError(f"The API answers {response.status}: {response.text()}")
    return dict(json.loads(response.content))
