"""Connections to MCP servers, for all of a process. The SDK is loaded when the first is made: that
takes half a second, and most processes never need it."""

import asyncio
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from pydantic import JsonValue

from activities.pinned_http import Resolve, resolve_by_system
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.options import OnListing, PoolOptions
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpResult
from activities.tools.mcp.secrets import SecretsOf, no_secrets
from workflows.definitions.mcp_server import McpServer

if TYPE_CHECKING:
    from activities.tools.mcp.connections import Connections


class McpPool:
    """``on_listing`` is told the tools of a server as it is connected, and when they change;
    ``secrets`` tells those that a team may give to a server."""

    def __init__(
        self,
        *,
        policy: McpPolicy | None = None,
        secrets: SecretsOf = no_secrets,
        environment: Mapping[str, str] | None = None,
        on_listing: OnListing | None = None,
        options: PoolOptions | None = None,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self.policy = policy or McpPolicy()
        self._secrets = secrets
        self._environment = environment or {}
        self._on_listing = on_listing
        self._options = options or PoolOptions()
        self._resolve = resolve
        self._connections: Connections | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def call(
        self,
        team_id: UUID,
        server: McpServer,
        tool: str,
        arguments: Mapping[str, JsonValue],
        *,
        timeout_seconds: float | None = None,
        replies: Replies = MappingProxyType({}),
        reads_resources: bool = False,
        is_retry_safe: bool = False,
    ) -> McpResult:
        """Call a tool, after connecting if need be. A time limit of None is the server's own.
        ``replies`` answer questions of the server. With ``reads_resources``, read the resource
        whose ``uri`` is the argument. With ``is_retry_safe`` it may be called twice.

        Cancelled, it cancels the request.

        Raises:
            McpNotAllowed, McpSecretMissing: nothing was tried.
            McpUnavailable: the server was not reached; the tool was not called.
            McpConnectionLost, McpTimedOut, McpAnswerInvalid: the call may have taken effect.
            McpAsks: the server has another question; it was told that nobody answers now.
            McpQuestionUnclear: the same may be so, and the call may have taken effect.
        """
        self.policy.check(server)
        connections = await self._loaded()
        limit_seconds = timeout_seconds or server.timeout_seconds
        from activities.tools.mcp.calls import ToolCall

        call = ToolCall(
            server.name,
            tool,
            arguments,
            limit_seconds,
            replies,
            reads_resources=reads_resources,
            is_retry_safe=is_retry_safe,
        )
        return await connections.call(team_id, server, call)

    async def probe(self, team_id: UUID, server: McpServer) -> Listing:
        """Connect, list the tools, and disconnect.

        Raises:
            McpNotAllowed, McpSecretMissing, McpUnavailable, McpListingRefused
        """
        self.policy.check(server)
        return await (await self._loaded()).probe(team_id, server)

    def retain(self, team_id: UUID, servers: Iterable[McpServer]) -> None:
        """Let go of a team's connections to what is not among these servers: it was removed,
        changed or switched off. Running calls continue."""
        if self._connections is not None:
            self._connections.retain(team_id, servers)

    @property
    def connected(self) -> int:
        """How many servers are connected."""
        return 0 if self._connections is None else self._connections.open

    async def close(self) -> None:
        """End every call and every server."""
        self._is_closed = True
        if self._connections is not None:
            await self._connections.close()

    async def _loaded(self) -> "Connections":
        if self._connections is None:
            # Beside the event loop: others go on meanwhile.
            await asyncio.to_thread(import_module, "activities.tools.mcp.connections")
        if self._connections is None:
            from activities.tools.mcp.connections import Connections
            from activities.tools.mcp.opening import Opener

            opener = Opener(self.policy, self._secrets, self._environment, self._resolve)
            self._connections = Connections(opener, self._on_listing, self._options)
            if self._is_closed:
                await self._connections.close()
        return self._connections
