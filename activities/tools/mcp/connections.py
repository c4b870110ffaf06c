"""Connections to MCP servers, kept open between calls and shared by them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from activities.tools.mcp.calls import ToolCall
from activities.tools.mcp.connection import Connection, Disconnected, NotSent
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.opening import Opener
from activities.tools.mcp.options import OnListing, PoolOptions
from activities.tools.mcp.results import McpResult
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpBusy, McpConnectionLost, McpUnavailable


@dataclass(frozen=True, slots=True)
class _Key:
    """The digest is that of the configuration: a changed one makes a new connection."""

    team_id: UUID
    name: str
    digest: str


class _Entry:
    def __init__(self) -> None:
        self.connection: Connection | None = None

    @property
    def is_void(self) -> bool:
        """Whether nothing is lost when it is forgotten."""
        return self.connection is None or self.connection.is_gone


class Connections:
    """``on_listing`` is told the tools of a server as it is connected, and when they change."""

    def __init__(self, opener: Opener, on_listing: OnListing | None, options: PoolOptions) -> None:
        self._opener = opener
        self._options = options
        self._on_listing = on_listing
        self._entries: dict[_Key, _Entry] = {}
        self._retired: set[Connection] = set()
        self._probes = asyncio.Semaphore(self._options.max_probes)
        self._is_closed = False

    async def call(self, team_id: UUID, server: McpServer, call: ToolCall) -> McpResult:
        """Call a tool, after connecting if need be.

        Cancelled, it cancels the request.

        Raises:
            McpSecretMissing: nothing was tried.
            McpUnavailable: the server was not reached; the tool was not called.
            McpConnectionLost, McpTimedOut, McpAnswerInvalid: the call may have taken effect.
            McpAsks: the server has a question, without whose answer it does not go on.
        """
        key = _Key(team_id, server.name, server.digest)
        try:
            return await self._perform(key, server, call)
        except NotSent:
            # What it was to be sent on ended meanwhile. Another connection tells more.
            self._drop(key)
        try:
            return await self._perform(key, server, call)
        except NotSent as error:
            reason = "it does not stay connected"
            raise McpUnavailable(server=server.name, reason=reason) from error

    async def probe(self, team_id: UUID, server: McpServer) -> Listing:
        """Connect, list the tools, and disconnect.

        Raises:
            McpSecretMissing, McpUnavailable, McpListingRefused
        """
        async with self._probes:
            connection = Connection(team_id, server, self._opener, _ignore, self._options)
            self._retired.add(connection)
            try:
                return await connection.listing()
            except NotSent as error:
                raise McpUnavailable(server=server.name, reason=connection.reason) from error
            finally:
                await connection.close()
                self._retired.discard(connection)

    def retain(self, team_id: UUID, servers: Iterable[McpServer]) -> None:
        """Let go of a team's connections to what is not among these servers: it was removed,
        changed or switched off. Calls under way go on."""
        digests = {server.digest for server in servers}
        for key in self._entries:
            if key.team_id == team_id and key.digest not in digests:
                self._drop(key)

    @property
    def open(self) -> int:
        """How many are."""
        connections = [entry.connection for entry in self._entries.values()]
        return sum(each is not None and each.is_open for each in connections)

    async def close(self) -> None:
        """End every call and every server."""
        self._is_closed = True
        open_ones = [e.connection for e in self._entries.values() if e.connection is not None]
        self._entries.clear()
        await asyncio.gather(*(each.close() for each in {*open_ones, *self._retired}))
        self._retired.clear()

    async def _perform(self, key: _Key, server: McpServer, call: ToolCall) -> McpResult:
        connection = self._connection(key, server)
        try:
            result = await connection.run(call.perform)
            return replace(result, text=connection.redacted(result.text))
        except Disconnected as error:
            raise McpConnectionLost(
                server=server.name, tool=call.tool, reason=connection.reason
            ) from error

    def _entry(self, key: _Key) -> _Entry:
        if key not in self._entries:
            self._forget(key)
            self._entries[key] = _Entry()
        return self._entries[key]

    def _forget(self, key: _Key) -> None:
        """Forget what a new entry makes needless: earlier configurations, and what is void."""
        for other, entry in list(self._entries.items()):
            is_earlier = (other.team_id, other.name) == (key.team_id, key.name)
            if is_earlier or entry.is_void:
                self._drop(other)
                del self._entries[other]

    def _connection(self, key: _Key, server: McpServer) -> Connection:
        if self._is_closed:
            raise McpUnavailable(server=server.name, reason="this worker is being stopped")
        entry = self._entry(key)
        if entry.connection is None or not entry.connection.is_open:
            self._drop(key)
            self._make_room(server)

            async def on_listing(listing: Listing) -> None:
                if self._on_listing is not None:
                    await self._on_listing(key.team_id, server, listing)

            entry.connection = Connection(
                key.team_id, server, self._opener, on_listing, self._options
            )
        return entry.connection

    def _make_room(self, server: McpServer) -> None:
        """Those that are closing already are not counted. Raises ``McpBusy``."""
        connected = [
            (key, entry.connection)
            for key, entry in self._entries.items()
            if entry.connection is not None and entry.connection.is_open
        ]
        if len(connected) < self._options.max_servers:
            return
        idle = [(key, each) for key, each in connected if not each.is_busy]
        if not idle:
            raise McpBusy(server=server.name, limit=self._options.max_servers)
        key, _ = min(idle, key=lambda item: item[1].used_at_seconds)
        self._drop(key)

    def _drop(self, key: _Key) -> None:
        """Let go of a connection. What runs on it goes on; ``close`` still knows of it."""
        entry = self._entries.get(key)
        if entry is not None and entry.connection is not None:
            entry.connection.retire()
            self._retired = {each for each in self._retired if not each.is_gone}
            self._retired.add(entry.connection)
            entry.connection = None


async def _ignore(listing: Listing) -> None:
    """Whoever probes reads the listing itself."""
