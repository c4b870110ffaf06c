"""Agents that stay, named as people do: by their name, their id, or its beginning."""

from collections.abc import Awaitable, Callable

import typer

from api.cli.commands.options import Result, talk
from api.client import AsyncClient as Client


def talk_about_agent(
    context: typer.Context, text: str, conversation: Callable[[Client, str], Awaitable[Result]]
) -> Result:
    """Have a conversation with the API about the agent that the command line names."""

    async def converse(client: Client) -> Result:
        return await conversation(client, await find_agent_id(client, text))

    return talk(context, converse)


async def find_agent_id(client: Client, text: str) -> str:
    """The id of the one agent that ``text`` names. Raises ``AgentAmbiguous`` and
    ``AgentUnknown``."""
    return await client.agents.find_id(text)
