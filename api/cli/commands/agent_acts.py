"""``agentos agents pause|resume|restart|interrupt|terminate|rm``: what is done to an agent."""

from typing import Annotated

import typer

from api.cli.commands import resident_options as options
from api.cli.commands.agent_ids import talk_about_agent
from api.cli.commands.agent_views import print_agent_as
from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_line
from api.client import AsyncClient as Client
from api.wire.agent_requests import RestartRequest, TerminateRequest
from api.wire.responses.agents import Agent
from workflows.resident_states import ChildrenFate


def pause(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Pause an agent before its next turn. Messages wait."""
    changed = talk_about_agent(context, agent, lambda client, key: client.agents.pause(key))
    print_agent_as(changed, output)


def resume(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Resume a paused agent."""
    changed = talk_about_agent(context, agent, lambda client, key: client.agents.resume(key))
    print_agent_as(changed, output)


def restart(
    context: typer.Context,
    agent: options.Agent,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave out the messages that it failed at.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Restart an agent whose last turn ended badly. By default it reads the same messages again."""
    request = RestartRequest(skip=skip)

    async def converse(client: Client, agent_id: str) -> Agent:
        return await client.agents.restart(agent_id, request)

    print_agent_as(talk_about_agent(context, agent, converse), output)


def interrupt(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Cut the answer short that an agent is giving. What it has said so far is its reply."""

    async def converse(client: Client, agent_id: str) -> Agent:
        return await client.agents.interrupt(agent_id)

    print_agent_as(talk_about_agent(context, agent, converse), output)


def terminate(
    context: typer.Context,
    agent: options.Agent,
    hand_over: Annotated[
        bool,
        typer.Option("--hand-over", help="Give its children to its parent, and end none of them."),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """End an agent for good, with the agents that it has made."""
    fate = ChildrenFate.HAND_OVER if hand_over else ChildrenFate.TERMINATE

    async def converse(client: Client, agent_id: str) -> Agent:
        return await client.agents.terminate(agent_id, TerminateRequest(children=fate))

    print_agent_as(talk_about_agent(context, agent, converse), output)


def rm(context: typer.Context, agent: options.Agent) -> None:
    """Delete an agent that is terminated."""

    async def converse(client: Client, agent_id: str) -> str:
        await client.agents.delete(agent_id)
        return agent_id

    print_line(talk_about_agent(context, agent, converse))
