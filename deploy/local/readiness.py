"""How parts that speak HTTP tell that they are ready.

The standard library's client: `agentos up` waits for the import of whatever it uses here.
"""

import asyncio
import json
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from deploy.local.errors import NotReady

_TIMEOUT_SECONDS = 2.0
_SHOWN_CHARACTERS = 500


class HttpReadiness:
    """Ready once ``url`` answers without an error."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self) -> None:
        await request(self._url)


async def request(url: str, body: object = None) -> bytes:
    """What a server on this machine answers to GET or, with a ``body`` to be sent as JSON, POST.

    Raises:
        NotReady: it does not answer, or with an error.
    """
    return await asyncio.to_thread(_request, url, body)


async def request_json(url: str, body: object = None) -> Any:
    """The same, of a server that answers JSON."""
    return json.loads(await request(url, body))


def _request(url: str, body: object) -> bytes:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        if body is None:
            connection.request("GET", f"{parts.path}?{parts.query}")
        else:
            connection.request("POST", parts.path, json.dumps(body))
        response = connection.getresponse()
        answer = response.read()
    except (OSError, HTTPException) as error:
        raise NotReady(reason=str(error) or type(error).__name__) from error
    finally:
        connection.close()
    if response.status >= 400:
        said = answer.decode(errors="replace")[:_SHOWN_CHARACTERS]
        raise NotReady(reason=f"{parts.path} answered {response.status}: {said}")
    return answer
