"""``agentos agents send|messages|withdraw``: writing to an agent, and what was said."""

from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands import resident_options as options
from api.cli.commands.agent_ids import find_agent_id, talk_about_agent
from api.cli.commands.agent_views import print_messages
from api.cli.commands.inputs import parse_inputs, upload_inputs
from api.cli.commands.message_text import message_text
from api.cli.commands.options import Format, Output, Timeout
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json, print_line, print_text
from api.cli.commands.replies import Reply, send_and_wait
from api.cli.commands.request_body import built
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.agent_requests import MessageRequest
from api.wire.responses.agents import AgentMessage, MessageSent
from api.wire.responses.pages import Page
from workflows.states import MessageMode

_DEFAULT_MESSAGES = 50


def send(
    context: typer.Context,
    agent: options.Agent,
    given_text: Annotated[
        str, typer.Argument(metavar="TEXT", show_default=False, help="What to say; - is stdin.")
    ],
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
    idempotency_key: options.Key = None,
    output: Output = Format.TABLE,
) -> None:
    """Write to an agent. With --wait, print its reply."""
    text, given = message_text(given_text), parse_inputs(attach)
    mode = MessageMode.INTERRUPT if interrupt else MessageMode.QUEUE
    built(MessageRequest, {"content": text, "mode": mode})  # Before anything is uploaded.

    async def converse(client: Client, agent_id: str) -> MessageSent:
        said: dict[str, Any] = {"content": text, "mode": mode}
        if sender is not None:
            said["from"] = await find_agent_id(client, sender)
        references = await upload_inputs(client, given)
        request = built(MessageRequest, {**said, "attachments": references})
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


def withdraw(
    context: typer.Context,
    agent: options.Agent,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", show_default=False)],
) -> None:
    """Take back a message that the agent has not begun to read."""
    talk_about_agent(context, agent, lambda client, key: client.agents.withdraw(key, message))
    print_line(message)
