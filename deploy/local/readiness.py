"""How parts that speak HTTP tell that they are ready."""

from urllib.parse import urlsplit

import httpx

from deploy.local.errors import NotReady

_TIMEOUT_SECONDS = 2.0
_SHOWN_CHARACTERS = 500


class HttpReadiness:
    """Ready once ``url`` answers without an error."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self) -> None:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                response = await client.get(self._url, timeout=_TIMEOUT_SECONDS)
        except httpx.TransportError as error:
            raise NotReady(reason=str(error)) from error
        if response.is_error:
            said = response.text[:_SHOWN_CHARACTERS]
            path = urlsplit(self._url).path
            raise NotReady(reason=f"{path} answered {response.status_code}: {said}")
