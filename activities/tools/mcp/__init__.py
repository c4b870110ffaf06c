"""MCP servers: what one is, whether it may be used, and a pool of connections to them."""

from activities.tools.mcp.config import PREFIX, McpServer
from activities.tools.mcp.content import McpFile, McpResult
from activities.tools.mcp.listing import Listing, McpTool
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool, PoolOptions

__all__ = [
    "PREFIX",
    "Listing",
    "McpFile",
    "McpPolicy",
    "McpPool",
    "McpResult",
    "McpServer",
    "McpTool",
    "PoolOptions",
]
