"""Agents that stay, named as people do: by their name, their id, or its beginning."""

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import typer

from api.cli.commands.options import Result, talk
from api.cli.commands.pages import page_after_page
from api.cli.errors import AgentAmbiguous, AgentUnknown
from api.client import AsyncClient as Client
from api.wire.responses.pages import MAX_PAGE
from workflows.definitions.resident_name import MAX_NAME_CHARACTERS

# How many of the newest agents are looked at for the beginning of an id.
SEARCHED_AGENTS = 2_000
LEAST_CHARACTERS = 6
_SHOWN = 3
_HEX = re.compile(r"[0-9a-f-]+")


def talk_about_agent(
    context: typer.Context, text: str, conversation: Callable[[Client, str], Awaitable[Result]]
) -> Result:
    """Have a conversation with the API about the agent that the command line names."""

    async def converse(client: Client) -> Result:
        return await conversation(client, await find_agent_id(client, text))

    return talk(context, converse)


async def find_agent_id(client: Client, text: str) -> str:
    """The id of the one agent that ``text`` names; a whole id is taken as it is.

    Raises:
        AgentAmbiguous, AgentUnknown
    """
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    if text and len(text) <= MAX_NAME_CHARACTERS and "\0" not in text:
        named = await client.agents.list({"name": text})
        if named.items:
            return str(named.items[0].id)
    if not _HEX.fullmatch(wanted) or len(wanted.replace("-", "")) < LEAST_CHARACTERS:
        raise AgentUnknown(text=text, count=f"{SEARCHED_AGENTS:,}")
    return await _search(client, wanted.replace("-", ""))


async def _search(client: Client, prefix: str) -> str:
    searched = 0
    found: list[str] = []
    async for page in page_after_page(client.agents.list, {"limit": MAX_PAGE}):
        ids = [str(agent.id) for agent in page.items]
        found += [each for each in ids if each.replace("-", "").startswith(prefix)]
        searched += len(ids)
        if searched >= SEARCHED_AGENTS:
            break
    if not found:
        raise AgentUnknown(text=prefix, count=f"{SEARCHED_AGENTS:,}")
    if len(found) > 1:
        raise AgentAmbiguous(count=len(found), text=prefix, shown=", ".join(found[:_SHOWN]))
    return found[0]
