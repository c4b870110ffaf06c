"""Keeps up with the tools of a connected server."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from mcp import MCPError
from mcp.client import Client, IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp_types import ToolListChangedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from activities.tools.mcp.limits import LISTING_TIMEOUT_SECONDS
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.tool_list import list_offer
from workflows.errors import AgentOSError

OnListing = Callable[[Listing], Awaitable[None]]

# A server that tells of changes all day is asked no more often.
_LISTING_PAUSE_SECONDS = 1.0
_LISTENING_PAUSE_SECONDS = 5.0

log = structlog.get_logger(__name__)


class ToolWatch:
    """``on_listing`` receives the tools at first, and whenever the server says they changed."""

    def __init__(self, server: str, on_listing: OnListing) -> None:
        self._server = server
        self._on_listing = on_listing
        self._has_changed = asyncio.Event()

    async def __call__(self, message: IncomingMessage) -> None:
        """Servers of the protocol up to 2025-11-25 tell it unasked."""
        if isinstance(message, ToolListChangedNotification):
            self._has_changed.set()

    async def first(self, client: Client) -> Listing:
        """Raises as ``list_offer``."""
        return await list_offer(client.session, self._server)

    async def run(self, client: Client, listing: Listing) -> None:
        """Tell of changes until cancelled."""
        tools = client.server_capabilities.tools
        is_modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell(client, listing))
            if is_modern and tools is not None and tools.list_changed:
                group.create_task(self._listen(client))

    async def _tell(self, client: Client, listing: Listing) -> None:
        while True:
            try:
                await self._on_listing(listing)
                await self._has_changed.wait()
                self._has_changed.clear()
                async with asyncio.timeout(LISTING_TIMEOUT_SECONDS):
                    listing = await list_offer(client.session, self._server)
            except (MCPError, ValidationError, TimeoutError, AgentOSError) as error:
                # What is stored stays as it was until the next change, or the next connection.
                log.warning("mcp.listing_failed", server=self._server, error=type(error).__name__)
                await self._has_changed.wait()
            await asyncio.sleep(_LISTING_PAUSE_SECONDS)

    async def _listen(self, client: Client) -> None:
        """Servers of the protocol from 2026-07-28 on announce it to those who listen."""
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._has_changed.set()
            except (MCPError, SubscriptionLost, TimeoutError) as error:
                log.info("mcp.listening_ended", server=self._server, error=type(error).__name__)
            await asyncio.sleep(_LISTENING_PAUSE_SECONDS)
            self._has_changed.set()  # Changes meanwhile were not announced.
