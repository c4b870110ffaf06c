"""Agents that stay, named as people do: by their name, their id, or its beginning."""

import re
from uuid import UUID

from api.client.errors import AgentAmbiguous, AgentUnknown
from api.client.transport import Params, Transport
from api.wire.responses.agents import Agent
from api.wire.responses.pages import MAX_PAGE, Page
from workflows.definitions.resident_name import MAX_NAME_CHARACTERS

# How many of the newest agents are looked at for the beginning of an id.
SEARCHED_AGENTS = 2_000
LEAST_CHARACTERS = 6
_SHOWN = 3
_HEX = re.compile(r"[0-9a-f-]+")


async def find_agent_id(transport: Transport, agent: object) -> str:
    """The id of the one agent that is meant; a whole id is taken as it is.

    Raises:
        AgentAmbiguous, AgentUnknown
    """
    text = str(agent)
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    if text and len(text) <= MAX_NAME_CHARACTERS and "\0" not in text:
        named = await _page(transport, {"name": text})
        if named.items:
            return str(named.items[0].id)
    if not _HEX.fullmatch(wanted) or len(wanted.replace("-", "")) < LEAST_CHARACTERS:
        raise AgentUnknown(text=text, count=f"{SEARCHED_AGENTS:,}")
    return await _search(transport, wanted.replace("-", ""))


async def _search(transport: Transport, prefix: str) -> str:
    params: Params = {"limit": MAX_PAGE}
    searched = 0
    found: list[str] = []
    while searched < SEARCHED_AGENTS:
        page = await _page(transport, params)
        ids = [str(agent.id) for agent in page.items]
        found += [each for each in ids if each.replace("-", "").startswith(prefix)]
        searched += len(ids)
        if page.next_cursor is None:
            break
        params = {**params, "cursor": page.next_cursor}
    if not found:
        raise AgentUnknown(text=prefix, count=f"{SEARCHED_AGENTS:,}")
    if len(found) > 1:
        raise AgentAmbiguous(count=len(found), text=prefix, shown=", ".join(found[:_SHOWN]))
    return found[0]


async def _page(transport: Transport, params: Params) -> Page[Agent]:
    return await transport.call("GET", "/agents", Page[Agent], params=params, repeatable=True)
