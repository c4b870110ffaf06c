"""``agentos agents``: agents that stay."""

from typing import Annotated, Any

import typer

from api.cli.commands import agent_memory, agent_reminders, agent_templates
from api.cli.commands import resident_options as options
from api.cli.commands.agent_acts import interrupt, pause, restart, resume, rm, terminate
from api.cli.commands.agent_chat import chat, watch
from api.cli.commands.agent_ids import find_agent_id, talk_about_agent
from api.cli.commands.agent_messages import messages, send, withdraw
from api.cli.commands.agent_views import print_agent_as, print_agents
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json
from api.cli.commands.request_body import built
from api.cli.errors import NothingToChangeOfAgent
from api.client import AsyncClient as Client
from api.wire.agent_requests import (
    AgentChange,
    AgentRequest,
)
from api.wire.responses.agents import Agent
from api.wire.responses.pages import Page
from workflows.states import AgentState

app = typer.Typer(no_args_is_help=True)
app.add_typer(agent_memory.app)
app.add_typer(agent_templates.app, name="templates", help="What agents can be made of.")
app.command()(agent_reminders.remind)
app.command()(agent_reminders.reminders)

Parent = Annotated[
    str | None,
    typer.Option("--parent", metavar="NAME|ID", show_default=False, help="Whose child it is."),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="NAME",
        show_default=False,
        help="What it is made of; the other options are laid over that.",
    ),
]


@app.command()
@options.with_definition
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    *,
    said: dict[str, Any],
    template: Template = None,
    parent: Parent = None,
    idempotency_key: options.Key = None,
    output: Output = Format.TABLE,
) -> None:
    """Create an agent. It costs nothing until somebody writes to it."""
    document = {"name": name, **said, **_given(template=template)}
    wanted = built(AgentRequest, document)

    async def converse(client: Client) -> Agent:
        request = wanted
        if parent is not None:
            parent_id = await find_agent_id(client, parent)
            request = built(AgentRequest, {**document, "parent_id": parent_id})
        return await client.agents.create(request, idempotency_key=idempotency_key)

    print_agent_as(talk(context, converse), output)


@app.command()
@options.with_definition
def edit(
    context: typer.Context,
    agent: options.Agent,
    *,
    said: dict[str, Any],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", show_default=False, help="A new name.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change an agent from its next turn on. What is left out stays as it is."""
    change = built(AgentChange, {**said, **_given(name=name)})
    if not change.model_fields_set:
        raise NothingToChangeOfAgent

    async def converse(client: Client, agent_id: str) -> Agent:
        return await client.agents.change(agent_id, change)

    print_agent_as(talk_about_agent(context, agent, converse), output)


@app.command()
def ls(
    context: typer.Context,
    *,
    states: Annotated[
        list[AgentState] | None, typer.Option("--state", show_default=False, help="In this state.")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="TEXT", show_default=False, help="Found in the name."),
    ] = None,
    parent: Parent = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List agents, newest first."""

    async def converse(client: Client) -> Page[Agent]:
        query: dict[str, Any] = _given(text=text)
        if states:
            query["state"] = [state.value for state in states]
        if parent is not None:
            query["parent_id"] = await find_agent_id(client, parent)
        page = await first_items(client.agents.list, query, limit)
        return page.model_copy(update={"items": page.items[:limit]})

    page = talk(context, converse)
    print_json(page) if output is Format.JSON else print_agents(page.items)


@app.command()
def show(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Show an agent."""
    found = talk_about_agent(context, agent, lambda client, key: client.agents.show(key))
    print_agent_as(found, output)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


for command in (
    *(send, messages, withdraw),
    *(pause, resume, restart, interrupt, terminate, rm),
    *(chat, watch),
):
    app.command()(command)
