"""Asking a server for its tools."""

import json
import re
from dataclasses import replace

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from pydantic import JsonValue, ValidationError

from activities.tools.mcp.definitions import LEFT_OUT
from activities.tools.mcp.limits import (
    MAX_LIST_PAGES,
    MAX_REFUSALS,
    MAX_SCHEMA_BYTES,
    MAX_SCHEMA_DEPTH,
    MAX_TOOL_NAME_CHARACTERS,
    MAX_TOOLS,
)
from activities.tools.mcp.listing import Listing, McpTool, clean_text
from activities.tools.schemas import is_deeper
from workflows.errors.mcp import McpListingRefused

_NAME = re.compile(r"[A-Za-z0-9_./-]+")


# As tools of servers are called, most often.
_READING_NAMES = ("read_resource", "read_resource_by_uri")
_READING = (
    "Read a resource of this server by its URI, as results of its other tools name them. Text is "
    "the result; anything else becomes a file."
)
_URI: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"uri": {"type": "string"}},
    "required": ["uri"],
}


async def list_offer(session: ClientSession, server: str) -> Listing:
    """The tools of a server, and one that reads its resources if it has any.

    Raises as ``list_tools``.
    """
    has = session.server_capabilities or types.ServerCapabilities()
    listing = Listing(()) if has.tools is None else await list_tools(session, server)
    if has.resources is None or not await _has_resources(session):
        return listing
    taken = {tool.name for tool in listing.tools}
    free = [name for name in _READING_NAMES if name not in taken][:1]
    ours = (McpTool(name, _READING, _URI, True, reads_resources=True) for name in free)
    return replace(listing, tools=(*listing.tools, *ours))


async def _has_resources(session: ClientSession) -> bool:
    """Many a server says that it could have some, and has none."""
    try:
        if (await session.list_resources()).resources:
            return True
        return bool((await session.list_resource_templates()).resource_templates)
    except ValidationError:  # It has one that does not follow the protocol.
        return True
    except MCPError:
        return False


async def list_tools(session: ClientSession, server: str) -> Listing:
    """Ask for all pages.

    Raises:
        McpListingRefused: there is no end of them, or too many tools.
        MCPError, ValidationError: as every request.
    """
    found: list[types.Tool] = []
    cursor: str | None = None
    cursors: set[str] = set()
    for _ in range(MAX_LIST_PAGES):
        params = types.PaginatedRequestParams(cursor=cursor) if cursor else None
        page = await session.list_tools(params=params)
        found += page.tools
        if len(found) > MAX_TOOLS:
            reason = f"there are more than {MAX_TOOLS}"
            raise McpListingRefused(server=server, reason=reason)
        if (cursor := page.next_cursor) is None:
            return _taken(found)
        if cursor in cursors:  # It goes round in circles: each tool may have come twice.
            return _taken(list({tool.name: tool for tool in found}.values()))
        cursors.add(cursor)
    reason = f"the list has more than {MAX_LIST_PAGES} pages"
    raise McpListingRefused(server=server, reason=reason)


def _taken(found: list[types.Tool]) -> Listing:
    tools: dict[str, McpTool] = {}
    refused: list[str] = []
    for tool in found:
        if (objection := (tool.meta or {}).get(LEFT_OUT) or _objection(tool)) is not None:
            refused.append(f"{_shown(tool.name)}: {objection}")
        elif tool.name in tools:
            refused.append(f"{tool.name}: there are two of this name")
        else:
            tools[tool.name] = _read(tool)
    shown = refused[:MAX_REFUSALS]
    if len(refused) > len(shown):
        shown.append(f"... and {len(refused) - len(shown)} more")
    return Listing(tuple(tools[name] for name in sorted(tools)), tuple(shown))


def _objection(tool: types.Tool) -> str | None:
    if len(tool.name) > MAX_TOOL_NAME_CHARACTERS or not _NAME.fullmatch(tool.name):
        return "a name has at most 128 letters, digits and _ . / -"
    try:
        schema = json.dumps(tool.input_schema, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return "its schema is not JSON in UTF-8"
    if len(schema) > MAX_SCHEMA_BYTES:
        return f"its schema has more than {MAX_SCHEMA_BYTES} bytes"
    if is_deeper(tool.input_schema, MAX_SCHEMA_DEPTH):
        return f"its schema is nested deeper than {MAX_SCHEMA_DEPTH} levels"
    if b"\\u0000" in schema:
        return "its schema holds a NUL, which PostgreSQL does not keep"
    return None


def _read(tool: types.Tool) -> McpTool:
    hints = tool.annotations or types.ToolAnnotations()
    return McpTool(
        name=tool.name,
        description=clean_text(tool.description or tool.title or ""),
        schema=tool.input_schema,
        is_retry_safe=bool(hints.read_only_hint or hints.idempotent_hint),
    )


def _shown(name: str) -> str:
    return ascii(name[:MAX_TOOL_NAME_CHARACTERS])[1:-1]
