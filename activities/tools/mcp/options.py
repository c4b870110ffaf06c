"""How many connections are kept and for how long, and who is told what servers offer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from activities.tools.mcp.limits import START_SECONDS
from activities.tools.mcp.listing import Listing
from workflows.definitions.mcp_server import McpServer

OnListing = Callable[[UUID, McpServer, Listing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Patience:
    """With calls that share a connection when its server asks something. ``quiet_seconds`` is how
    long such as seem to have asked may end by themselves; ``ending_seconds``, how long one may take
    to end whose question was cancelled. One that happens to end then is taken for it."""

    quiet_seconds: float = 1.0
    ending_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """``max_servers`` are connected at once; one that is idle makes room for another.

    A connection of which nothing was asked for ``idle_seconds`` is closed. ``max_probes`` are made
    at once; others wait. A server must be ready ``start_seconds`` after it was started.
    ``patience`` is for what it asks.
    """

    max_servers: int = 32
    max_probes: int = 4
    idle_seconds: float = 300.0
    start_seconds: float = START_SECONDS
    patience: Patience = field(default_factory=Patience)
