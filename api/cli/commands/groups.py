"""``agentos groups``: agents that stay, talking with each other and with people."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

import typer

from api.cli import terminal
from api.cli.commands.group_ids import find_group_id
from api.cli.commands.group_views import print_group, print_groups, print_said
from api.cli.commands.inputs import parse_inputs, upload_inputs
from api.cli.commands.message_text import message_text
from api.cli.commands.options import Format, Output, Result, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json, print_json_line, print_line
from api.cli.commands.request_body import built
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.group_requests import GroupMessageRequest, GroupRequest, MembersRequest
from api.wire.responses.groups import Group, GroupMessage
from api.wire.responses.pages import MAX_PAGE, Page
from workflows.states import GroupMode

app = typer.Typer(no_args_is_help=True)

_LAST_SHOWN = 10

Named = Annotated[
    str, typer.Argument(metavar="GROUP", show_default=False, help="A group's name, or its id.")
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="AGENT...", show_default=False, help="Names or ids of agents."),
]
Answering = Annotated[
    list[str] | None,
    typer.Option(
        "--answering",
        metavar="AGENT",
        show_default=False,
        help="A member that answers while the group is moderated. May be repeated.",
    ),
]


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    members: Annotated[
        list[str] | None,
        typer.Argument(metavar="[AGENT]...", show_default=False, help="Names or ids of agents."),
    ] = None,
    *,
    moderated: Annotated[
        bool, typer.Option("--moderated", help="Only members named by --answering answer.")
    ] = False,
    answering: Answering = None,
    rounds: Annotated[
        int | None,
        typer.Option(metavar="N", show_default=False, help="Rounds of a discussion; 3 by default."),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(metavar="N", show_default=False, help="Tokens that a discussion may use."),
    ] = None,
    cost: Annotated[
        float | None,
        typer.Option(metavar="USD", show_default=False, help="What a discussion may cost."),
    ] = None,
    turn_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            show_default=False,
            help="How long a round waits for its members; 600 by default.",
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Make a group of agents."""
    limits = {
        "rounds": rounds,
        "tokens": tokens,
        "cost_usd": cost,
        "turn_seconds": turn_seconds,
    }
    document: dict[str, Any] = {
        "name": name,
        "members": members or [],
        "mode": GroupMode.MODERATED if moderated else GroupMode.OPEN,
        "answering": answering or [],
        "limits": {key: value for key, value in limits.items() if value is not None},
    }
    request = built(GroupRequest, document)
    _print(talk(context, lambda client: client.groups.create(request)), output)


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the groups, newest first."""
    page = talk(context, lambda client: whole_list(client.groups.list))
    print_json(page) if output is Format.JSON else print_groups(page.items)


@app.command()
def show(context: typer.Context, group: Named, output: Output = Format.TABLE) -> None:
    """Show a group, its members and their turns."""
    _print(_talk_about(context, group, lambda client, found: client.groups.get(found)), output)


@app.command()
def add(
    context: typer.Context,
    group: Named,
    members: Names,
    *,
    answering: Answering = None,
    output: Output = Format.TABLE,
) -> None:
    """Let agents into a group. They are given what is said from then on."""
    request = built(MembersRequest, {"members": members, "answering": answering or []})
    found = _talk_about(context, group, lambda client, key: client.groups.add(key, request))
    _print(found, output)


@app.command()
def remove(
    context: typer.Context, group: Named, members: Names, output: Output = Format.TABLE
) -> None:
    """Let members of a group go."""
    found = _talk_about(context, group, lambda client, key: client.groups.remove(key, *members))
    _print(found, output)


@app.command()
def rm(context: typer.Context, group: Named) -> None:
    """Delete a group with all that was said in it. Its members stay."""

    async def converse(client: Client, group_id: str) -> str:
        await client.groups.delete(group_id)
        return group_id

    print_line(_talk_about(context, group, converse))


@app.command()
def send(
    context: typer.Context,
    group: Named,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", show_default=False, help="What to say; - is stdin.")
    ],
    *,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME=FILE",
            show_default=False,
            help="An attachment: a file to upload, or a reference.",
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show what is said until the group falls silent.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Say something to all members of a group. It begins a discussion, and ends an earlier one."""
    content, attachments = message_text(text), parse_inputs(given)
    request = built(GroupMessageRequest, {"content": content})

    async def converse(client: Client, group_id: str) -> None:
        references = await upload_inputs(client, attachments)
        whole = built(GroupMessageRequest, {"content": content, "attachments": references})
        posted = await client.groups.post(group_id, whole if references else request)
        if wait:
            await _follow(client, group_id, output, after=posted.seq, thread_id=posted.id)
        elif output is Format.JSON:
            print_json(posted)
        else:
            print_line(str(posted.id))

    _talk_about(context, group, converse)


@app.command()
def watch(context: typer.Context, group: Named, output: Output = Format.TABLE) -> None:
    """Follow what is said in a group. With -o json, print its events, one per line."""

    async def converse(client: Client, group_id: str) -> None:
        page = await client.groups.messages(group_id, {"limit": _LAST_SHOWN})
        for message in page.items:
            if output is Format.TABLE:
                print_said(message)
        after = page.items[-1].seq if page.items else 0
        await _follow(client, group_id, output, after=after)

    _talk_about(context, group, converse)


@app.command()
def messages(
    context: typer.Context,
    group: Named,
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=MAX_PAGE, help="How many of the last messages to print.")
    ] = MAX_PAGE,
    output: Output = Format.TABLE,
) -> None:
    """Print the last of what was said in a group."""

    async def converse(client: Client, group_id: str) -> Page[GroupMessage]:
        return await client.groups.messages(group_id, {"limit": limit})

    page = _talk_about(context, group, converse)
    if output is Format.JSON:
        print_json(page)
        return
    for message in page.items:
        print_said(message)


async def _follow(
    client: Client, group_id: str, output: Format, *, after: int, thread_id: UUID | None = None
) -> None:
    """Print what is said, of one discussion until its end if one is named."""
    events = client.groups.events(group_id, after=after, on_lost=_tell_lost)
    async with aclosing(events):
        async for event in events:
            message = event.message
            if thread_id is None:
                if output is Format.JSON:
                    print_json_line(event)
                elif message is not None:
                    print_said(message)
                continue
            if message is None or message.thread_id != thread_id:
                continue
            print_json_line(message) if output is Format.JSON else print_said(message)
            if message.reason is not None:
                return


def _tell_lost(reason: str) -> None:
    terminal.stderr().print(safe_line(f"Connection lost: {reason}. Trying again."), style="dim")


def _talk_about(
    context: typer.Context, text: str, conversation: Callable[[Client, str], Awaitable[Result]]
) -> Result:
    async def converse(client: Client) -> Result:
        return await conversation(client, await find_group_id(client, text))

    return talk(context, converse)


def _print(group: Group, output: Format) -> None:
    print_json(group) if output is Format.JSON else print_group(group)
