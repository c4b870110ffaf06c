"""A client's connections, which it opens and closes."""

import os
from types import TracebackType
from typing import Self

from api.addresses import DEFAULT_URL
from api.client.calls import Calls
from api.client.transport import ANSWER_TIMEOUT_SECONDS, PATIENCE_SECONDS, Transport


class Connected(Calls):
    """Beside the calls that a client has. What the parameters say stands at ``AsyncClient``."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = ANSWER_TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(
            Transport(
                url or os.environ.get("AGENTOS_API_URL") or DEFAULT_URL,
                api_key or os.environ.get("AGENTOS_API_KEY"),
                timeout_seconds=timeout_seconds,
                patience_seconds=patience_seconds,
            )
        )

    @property
    def has_changed_something(self) -> bool:
        """Whether the API has done something on its behalf, beside answering."""
        return self._transport.has_changed_something

    async def close(self) -> None:
        """Close the connections. Nothing can be asked for afterwards."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
