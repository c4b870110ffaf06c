"""The tool ``find_tools``."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from activities.llm.names import encode
from activities.skills.section import cut_at_word
from activities.tools.context import AgentContext, ServerTool
from activities.tools.found import found_line
from activities.tools.options import Need
from activities.tools.ranking import rank
from activities.tools.registry import tool

MAX_FOUND = 20
MAX_QUERY_CHARACTERS = 300

_DESCRIPTION_CHARACTERS = 300
_SERVERS_SHOWN = 20


@tool(is_retry_safe=True, need=Need.SERVER_TOOLS, finds_tools=True, reads="means")
async def find_tools(
    context: AgentContext,
    query: Annotated[
        str,
        Field(
            max_length=MAX_QUERY_CHARACTERS,
            description="what it should do, in a few words, or its name",
        ),
    ],
    limit: Annotated[int, Field(ge=1, le=MAX_FOUND)] = 5,
) -> str:
    """Find more tools. Those that are found can be called from your next turn on.

    Search before you say that something cannot be done.
    """
    tools = await context.server_tools.all()
    # As it is sent, a name has no dots.
    by_name = {name: tool for tool in tools.values() for name in (tool.name, encode(tool.name))}
    if (named := by_name.get(query.strip())) is not None:
        return _whole(named)
    found = rank(query, {name: tool.description for name, tool in tools.items()})[:limit]
    if not found:
        return f"No tool fits this. {_servers(tools.values())} Try other words."
    return "\n".join((found_line(found), *(_line(tools[name]) for name in found)))


def _line(tool: ServerTool) -> str:
    description = " ".join(tool.description.split())
    return f"- {tool.name}: {cut_at_word(description, _DESCRIPTION_CHARACTERS)}"


def _whole(tool: ServerTool) -> str:
    schema = json.dumps(tool.schema, ensure_ascii=False)
    return f"{found_line([tool.name])}\n{tool.description}\nArguments, as a JSON schema:\n{schema}"


def _servers(tools: Iterable[ServerTool]) -> str:
    numbers = Counter(tool.source for tool in tools)
    listed = ", ".join(f"{name} ({number})" for name, number in numbers.most_common(_SERVERS_SHOWN))
    return f"Servers and their numbers of tools: {listed or 'none'}."
