"""``agentos agents``: agents that stay."""

from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands import agent_memory, agent_reminders, agent_templates
from api.cli.commands import resident_options as options
from api.cli.commands.agent_chat import chat, watch
from api.cli.commands.agent_ids import find_agent_id, talk_about_agent
from api.cli.commands.agent_views import print_agent, print_agents, print_messages
from api.cli.commands.inputs import parse_inputs, upload_inputs
from api.cli.commands.options import Format, Output, Timeout, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json, print_line, print_text
from api.cli.commands.replies import Reply, send_and_wait
from api.cli.commands.request_body import built
from api.cli.errors import NothingToChangeOfAgent
from api.client import Client
from api.client.transport import Params
from api.wire.agent_requests import (
    AgentChange,
    AgentRequest,
    MessageRequest,
    RestartRequest,
    TerminateRequest,
)
from api.wire.responses.agents import Agent, AgentMessage, MessageSent
from api.wire.responses.pages import Page
from workflows.resident_states import ChildrenFate
from workflows.states import AgentState, MessageMode

app = typer.Typer(no_args_is_help=True)
app.add_typer(agent_memory.app)
app.add_typer(agent_templates.app, name="templates", help="What agents can be made of.")
app.command()(agent_reminders.remind)
app.command()(agent_reminders.reminders)

_DEFAULT_MESSAGES = 50

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
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        metavar="KEY",
        show_default=False,
        help="Doing it again with the same key changes nothing.",
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
    idempotency_key: Key = None,
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

    _print(talk(context, converse), output)


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

    _print(talk_about_agent(context, agent, converse), output)


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
    _print(talk_about_agent(context, agent, lambda client, key: client.agents.show(key)), output)


@app.command()
def send(
    context: typer.Context,
    agent: options.Agent,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    *,
    attach: Annotated[
        list[str] | None,
        typer.Option(
            "--attach",
            metavar="NAME=FILE",
            show_default=False,
            help="A file that goes with it: one to upload, or a reference as for --input.",
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="NAME|ID", show_default=False, help="Write as this agent of yours."
        ),
    ] = None,
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="Cut the answer short that it is giving.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the reply, and print it.")] = False,
    timeout: Timeout = None,
    idempotency_key: Key = None,
    output: Output = Format.TABLE,
) -> None:
    """Write to an agent. With --wait, print its reply."""
    given = parse_inputs(attach)
    mode = MessageMode.INTERRUPT if interrupt else MessageMode.QUEUE
    built(MessageRequest, {"content": text, "mode": mode})  # Before anything is uploaded.

    async def converse(client: Client, agent_id: str) -> MessageSent:
        said: dict[str, Any] = {"content": text, "mode": mode}
        document = {**said, "attachments": await upload_inputs(client, given)}
        if sender is not None:
            document["from"] = await find_agent_id(client, sender)
        request = built(MessageRequest, document)
        if not wait:
            return await client.agents.send(agent_id, request, idempotency_key=idempotency_key)
        return await send_and_wait(client, Reply(agent_id, request, idempotency_key, timeout))

    sent = talk_about_agent(context, agent, converse)
    if output is Format.JSON:
        print_json(sent)
    elif sent.reply is not None:
        print_text(sent.reply.content)
        if sent.reply.interrupted:
            terminal.stderr().print("It was interrupted.", style="dim")
    else:
        print_line(str(sent.id))


@app.command()
def messages(
    context: typer.Context,
    agent: options.Agent,
    limit: Annotated[
        int | None, typer.Option(min=1, help="How many of the last ones.")
    ] = _DEFAULT_MESSAGES,
    output: Output = Format.TABLE,
) -> None:
    """Print the last messages to an agent, and its replies."""

    async def converse(client: Client, agent_id: str) -> Page[AgentMessage]:
        async def fetch(params: Params) -> Page[AgentMessage]:
            page = await client.agents.messages(agent_id, params)
            # Each page is older than the last: the newest come first until all are there.
            return page.model_copy(update={"items": page.items[::-1]})

        found = await first_items(fetch, {}, limit)
        return found.model_copy(update={"items": found.items[:limit][::-1]})

    page = talk_about_agent(context, agent, converse)
    print_json(page) if output is Format.JSON else print_messages(page.items)


@app.command()
def withdraw(
    context: typer.Context,
    agent: options.Agent,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", show_default=False)],
) -> None:
    """Take back a message that the agent has not begun to read."""
    talk_about_agent(context, agent, lambda client, key: client.agents.withdraw(key, message))
    print_line(message)


@app.command()
def pause(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Pause an agent before its next turn. Messages wait."""
    _print(talk_about_agent(context, agent, lambda client, key: client.agents.pause(key)), output)


@app.command()
def resume(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Resume a paused agent."""
    _print(talk_about_agent(context, agent, lambda client, key: client.agents.resume(key)), output)


@app.command()
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

    _print(talk_about_agent(context, agent, converse), output)


@app.command()
def interrupt(context: typer.Context, agent: options.Agent, output: Output = Format.TABLE) -> None:
    """Cut the answer short that an agent is giving. What it has said so far is its reply."""

    async def converse(client: Client, agent_id: str) -> Agent:
        return await client.agents.interrupt(agent_id)

    _print(talk_about_agent(context, agent, converse), output)


@app.command()
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

    _print(talk_about_agent(context, agent, converse), output)


@app.command()
def rm(context: typer.Context, agent: options.Agent) -> None:
    """Delete an agent that is terminated."""

    async def converse(client: Client, agent_id: str) -> str:
        await client.agents.delete(agent_id)
        return agent_id

    print_line(talk_about_agent(context, agent, converse))


def _print(agent: Agent, output: Format) -> None:
    print_json(agent) if output is Format.JSON else print_agent(agent)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


app.command()(chat)
app.command()(watch)
