"""From a configuration to a client: secrets looked up, transport chosen, the SDK's logs muted."""

import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlsplit

from mcp.client import Client, Transport
from mcp.client.session import ElicitationFnT, MessageHandlerFnT
from mcp_types import Implementation
from pydantic import SecretStr

from activities.pinned_http import Resolve, judged_addresses, resolve_by_system
from activities.tools.mcp.http import http_transport
from activities.tools.mcp.last_words import LastWords
from activities.tools.mcp.limits import START_SECONDS
from activities.tools.mcp.policy import PORTS, McpPolicy
from activities.tools.mcp.secrets import SecretsOf, resolve
from activities.tools.mcp.sse import speaks_sse, sse_transport
from activities.tools.mcp.stdio import stdio_transport
from activities.tools.mcp.stdio_program import Program, minimal
from workflows.definitions.mcp_server import McpServer
from workflows.errors.hosts import AddressNotPublic
from workflows.errors.mcp import McpNotAllowed, McpUnavailable

OnEnd = Callable[[str], None]

# It logs the messages that it cannot read, and they may be anybody's data.
for _logger in ("mcp", "client"):
    logging.getLogger(_logger).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told what a server does: ``on_end`` why there will be no more messages, ``last_words``
    what its program prints on stderr. A request may take ``start_seconds``."""

    on_end: OnEnd
    on_message: MessageHandlerFnT
    on_question: ElicitationFnT
    last_words: LastWords
    start_seconds: float = START_SECONDS


class Opener:
    """Makes clients. ``environment`` is this process's own, of which programs get the least;
    ``secrets`` tells those that a team may give to a server."""

    def __init__(
        self,
        policy: McpPolicy,
        secrets: SecretsOf,
        environment: Mapping[str, str],
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self.secrets = secrets
        self._inherited = minimal(environment)

    @asynccontextmanager
    async def client(
        self, server: McpServer, secrets: Mapping[str, SecretStr], listeners: Listeners
    ) -> AsyncIterator[Client]:
        """A client that is connected in its block, which is to be left by the task that entered it.

        Raises:
            McpSecretMissing: the configuration names one that is not among the secrets.
            McpNotAllowed: its name leads to where it may not be.
        """
        if server.transport == "stdio":
            program = self._program(server, secrets, listeners)
            async with self._client(program, listeners) as client:
                yield client
            return
        headers = resolve(server, server.headers, secrets)
        url, addresses = server.url or "", await self._addresses(server)
        async with AsyncExitStack() as stack:
            try:
                opening = self._client(http_transport(url, headers, addresses), listeners)
                client = await stack.enter_async_context(opening)
            except Exception:
                # The SDK raises what it likes. A server of before 2025 knows nothing of it.
                if not await speaks_sse(url, headers, addresses):
                    raise
                opening = self._client(
                    sse_transport(url, headers, addresses, listeners.on_end), listeners
                )
                client = await stack.enter_async_context(opening)
            yield client

    def _client(self, transport: Transport, listeners: Listeners) -> Client:
        return Client(
            transport,
            client_info=Implementation(name="agentos", version=version("agentos")),
            message_handler=listeners.on_message,
            elicitation_callback=listeners.on_question,
            read_timeout_seconds=listeners.start_seconds,
            cache=None,
        )

    def _program(
        self, server: McpServer, secrets: Mapping[str, SecretStr], listeners: Listeners
    ) -> Transport:
        program = Program(
            server=server.name,
            command=server.command or "",
            args=server.args,
            environment=self._inherited | resolve(server, server.env, secrets),
            cwd=server.cwd or "/",
        )
        return stdio_transport(program, listeners.on_end, listeners.last_words)

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
