"""How many connections are kept and for how long, and who is told what servers offer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from activities.tools.breaker import BreakerOptions
from activities.tools.mcp.limits import START_SECONDS
from activities.tools.mcp.listing import Listing
from workflows.definitions.mcp_server import McpServer

OnListing = Callable[[UUID, McpServer, Listing], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """``max_servers`` are connected at once; one that is idle makes room for another.

    A connection of which nothing was asked for ``idle_seconds`` is closed. ``max_probes`` are made
    at once; others wait. A server must be ready ``start_seconds`` after it was started.
    """

    max_servers: int = 32
    max_probes: int = 4
    idle_seconds: float = 300.0
    start_seconds: float = START_SECONDS
    breaker: BreakerOptions = field(default_factory=BreakerOptions)
