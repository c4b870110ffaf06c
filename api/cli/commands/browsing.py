"""``agentos open``: the web page of something, in a browser."""

import webbrowser
from typing import Annotated

import typer
from pydantic import BaseModel

from api.cli import terminal
from api.cli.commands.agent_ids import find_agent_id
from api.cli.commands.group_ids import find_group_id
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.task_ids import find_task_id
from api.cli.connection import Connection
from api.cli.errors import GroupUnknown, NothingToOpen, TaskIdMalformed, TaskIdUnknown
from api.cli.surroundings import has_browser
from api.client import ApiProblem
from api.client import AsyncClient as Client

_NOT_FOUND = 404


class Page(BaseModel):
    """The address of a page, and whether a browser was told to show it."""

    url: str
    opened: bool


def open_(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            show_default="the list of tasks",
            help="A task (ID/NODE: a node of a plan), or an agent that stays or a group, also by "
            "its name.",
        ),
    ] = None,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the address, and open nothing.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Open the web page of a task, agent or group; without one, that of all tasks.

    Where there is no browser, its address is printed.
    """
    connection = context.find_object(Connection)
    assert connection is not None, "the callback of the application sets it"

    async def converse(client: Client) -> str:
        return "/" if what is None else await _path_of(client, what)

    url = connection.url.rstrip("/").removesuffix("/api/v1") + talk(context, converse)
    opened = not only_print and has_browser() and _open(url)
    if output is Format.JSON:
        print_json(Page(url=url, opened=opened))
    elif opened:
        terminal.stderr().print(f"Opened {url}", style="dim", soft_wrap=True)
    else:
        print_line(url)


async def _path_of(client: Client, text: str) -> str:
    """Tasks come first, then agents, then groups.

    Raises:
        NothingToOpen
    """
    try:
        task_id = await find_task_id(client, text)
        await client.task(task_id)
    except (TaskIdMalformed, TaskIdUnknown, ApiProblem) as error:
        _check_absent(error)
    else:
        return f"/tasks/{task_id}"
    try:
        agent_id = await find_agent_id(client, text)
        await client.agents.show(agent_id)
    except ApiProblem as error:
        _check_absent(error)
    else:
        return f"/agents/{agent_id}"
    try:
        return f"/groups/{await find_group_id(client, text)}"
    except GroupUnknown as error:
        raise NothingToOpen(text=text) from error


def _check_absent(error: Exception) -> None:
    if isinstance(error, ApiProblem) and error.status != _NOT_FOUND:
        raise error


def _open(url: str) -> bool:
    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
