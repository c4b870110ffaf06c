"""``agentos rm``: delete tasks that have ended."""

from typing import Annotated

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json
from api.cli.commands.task_ids import find_task_id
from api.client import AsyncClient as Client
from api.wire.responses.pages import Page


def rm(
    context: typer.Context,
    tasks: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="Ids of tasks, or their first six or more characters.",
            show_default=False,
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Delete tasks that have ended, with all that is theirs.

    That are their nodes, logs, messages, events and artifacts.
    """

    async def find(client: Client) -> list[str]:
        return list(dict.fromkeys([await find_task_id(client, text) for text in tasks]))

    found = talk(context, find)
    if not yes and terminal.stderr().is_terminal:
        for task_id in found:
            terminal.stderr().print(task_id)
        typer.confirm("Delete these tasks, with all that they made?", abort=True, err=True)

    async def delete(client: Client) -> None:
        for task_id in found:
            await client.delete(task_id)
            if output is Format.TABLE:
                typer.echo(task_id)

    talk(context, delete)
    if output is Format.JSON:
        print_json(Page(items=found))
