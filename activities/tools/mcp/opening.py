"""From a configuration to a client: secrets looked up, transport chosen, the SDK's logs muted."""

import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from urllib.parse import urlsplit

from mcp.client import Client, Transport
from mcp.client.session import MessageHandlerFnT
from mcp_types import Implementation
from pydantic import SecretStr

from activities.pinned_http import Resolve, judged_addresses, resolve_by_system
from activities.tools.mcp.http import Streams, http_transport
from activities.tools.mcp.limits import CONNECT_TIMEOUT_SECONDS
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.policy import PORTS, McpPolicy
from activities.tools.mcp.secrets import redact, redact_object, resolve
from activities.tools.mcp.stdio import Program, minimal, stdio_transport
from workflows.definitions.mcp_server import McpServer
from workflows.errors import AddressNotPublic, McpNotAllowed, McpUnavailable

OnEnd = Callable[[str], None]

# It logs the messages that it cannot read, and they may be anybody's data.
logging.getLogger("mcp").setLevel(logging.CRITICAL)


class Opener:
    """Makes clients. ``environment`` is this process's own, of which programs get the least."""

    def __init__(
        self,
        policy: McpPolicy,
        secrets: Mapping[str, SecretStr],
        environment: Mapping[str, str],
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._secrets = secrets
        self._inherited = minimal(environment)

    def client(
        self, server: McpServer, on_end: OnEnd, on_message: MessageHandlerFnT
    ) -> AbstractAsyncContextManager[Client]:
        """A client that connects as its block is entered, and is to be left by the same task.

        Raises:
            McpSecretMissing: the configuration names a secret that is not set.
            McpNotAllowed: on entering, when its name leads to where it may not be.
        """
        return Client(
            self._transport(server, on_end),
            client_info=Implementation(name="agentos", version=version("agentos")),
            message_handler=on_message,
            read_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
            cache=None,
        )

    def redacted(self, server: McpServer, text: str) -> str:
        """What a server says, without the secrets that it was given."""
        return redact(text, server.env | server.headers, self._secrets)

    def redacted_listing(self, server: McpServer, listing: Listing) -> Listing:
        """The tools that a server offers, as they may be kept and shown."""
        values = server.env | server.headers
        tools = (
            replace(
                tool,
                description=redact(tool.description, values, self._secrets),
                schema=redact_object(tool.schema, values, self._secrets),
            )
            for tool in listing.tools
        )
        refused = (redact(reason, values, self._secrets) for reason in listing.refused)
        return Listing(tuple(tools), tuple(refused))

    def _transport(self, server: McpServer, on_end: OnEnd) -> Transport:
        if server.transport == "http":
            headers = resolve(server.name, server.headers, self._secrets)
            return self._to_url(server, headers)
        given = resolve(server.name, server.env, self._secrets)
        program = Program(
            server=server.name,
            command=server.command or "",
            args=server.args,
            environment=self._inherited | given,
            cwd=server.cwd or "/",
        )
        return stdio_transport(program, on_end)

    @asynccontextmanager
    async def _to_url(
        self, server: McpServer, headers: Mapping[str, str]
    ) -> AsyncIterator[Streams]:
        addresses = await self._addresses(server)
        async with http_transport(server.url or "", headers, addresses) as streams:
            yield streams

    async def _addresses(self, server: McpServer) -> Sequence[str]:
        """Judged once for a connection, which then goes nowhere else."""
        parts = urlsplit(server.url or "")
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        is_inside = self._policy.is_inside(server)
        try:
            return await judged_addresses(host, port, self._resolve, is_inside=is_inside)
        except AddressNotPublic as error:
            raise McpNotAllowed(
                server=server.name, reason=str(error), setting="AGENTOS_PRIVATE_HOSTS"
            ) from error
        except socket.gaierror as error:
            reason = f"the name {host!r} cannot be resolved"
            raise McpUnavailable(server=server.name, reason=reason) from error
