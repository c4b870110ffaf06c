"""Names of tools in requests: which there are, and which one somebody may have meant."""

from collections.abc import Collection, Sequence
from uuid import UUID

from activities.store.database import Database
from activities.store.mcp_tools import callable_tools
from workflows.suggestions import nearest

NAMES_SHOWN = 50
NAME_CHARACTERS = 100


async def mcp_tool_names(database: Database, team_id: UUID) -> Sequence[str]:
    """The tools of the team's MCP servers that are active."""
    return [tool.name for tool in await callable_tools(database, team_id)]


def unknown_tool(name: str, known: Collection[str]) -> str:
    """That no tool has this name, and which ones there are."""
    shown = name[:NAME_CHARACTERS]
    # Often its server is what was left out: `convert_time` for `mcp.time.convert_time`.
    meant = [other for other in known if other.endswith(f".{shown}")]
    if near := next(iter(meant), None) or nearest(shown, known):
        return f"there is no tool named {shown!r}. Did you mean {near}?"
    listed = ", ".join(list(known)[:NAMES_SHOWN])
    more = ", ..., which `agentos tools ls` shows" if len(known) > NAMES_SHOWN else ""
    return f"there is no tool named {shown!r}. Tools: {listed}{more}."
