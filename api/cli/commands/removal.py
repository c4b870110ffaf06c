"""``agentos rm``: delete tasks that have ended."""

from typing import Annotated

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.asking import ask
from api.cli.commands.options import Format, Output, Yes, talk
from api.cli.commands.printing import print_json
from api.cli.commands.task_choice import Choice, DryRun, Every, do_about_many
from api.cli.commands.task_filter import NewerThan, OfName, OfStatus, OfType, OlderThan, WithText
from api.cli.commands.task_ids import find_task_id
from api.cli.display.amounts import counted
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.bulk_tasks import BulkDeleteRequest
from api.wire.responses.pages import Page
from api.wire.responses.tasks import Task


def rm(
    context: typer.Context,
    *,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID...",
            help="Ids of tasks, or their first six or more characters.",
            show_default=False,
        ),
    ] = None,
    statuses: OfStatus = None,
    types: OfType = None,
    name: OfName = None,
    text: WithText = None,
    after: NewerThan = None,
    before: OlderThan = None,
    every: Every = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Delete tasks that have ended, with all that is theirs.

    That are their nodes, logs, messages, events and artifacts. Without an ID, a filter says which.
    """
    choice = Choice(statuses, types, text, name, after, before, every)
    choice.check(tasks)
    if not tasks:
        request = choice.request(BulkDeleteRequest)
        do_about_many(context, request, dry_run=dry_run, yes=yes, output=output)
        return
    _remove(context, tasks, dry_run=dry_run, yes=yes, output=output)


def _remove(
    context: typer.Context, tasks: list[str], *, dry_run: bool, yes: bool, output: Format
) -> None:
    async def find(client: Client) -> list[Task]:
        ids = list(dict.fromkeys([await find_task_id(client, text) for text in tasks]))
        return [await client.task(task_id) for task_id in ids]

    found = talk(context, find)
    for task in found:
        terminal.stderr().print(_what_goes(task), soft_wrap=True)
    if not dry_run:
        which = "this task" if len(found) == 1 else f"these {len(found)} tasks"
        ask(f"Delete {which}, with all that goes with it?", yes=yes)

    async def delete(client: Client) -> None:
        for task in found:
            await client.delete(str(task.task_id))
            if output is Format.TABLE:
                typer.echo(str(task.task_id))

    if not dry_run:
        talk(context, delete)
    if output is Format.JSON:
        print_json(Page(items=[str(task.task_id) for task in found]))


def _what_goes(task: Task) -> Text:
    goes = [task.status.value]
    if task.sub_tasks:
        goes.append(counted(len(task.sub_tasks), "step"))
    if task.artifacts:
        goes.append(counted(len(task.artifacts), "file"))
    about = (f"  {', '.join(goes)}", "dim")
    return Text.assemble(str(task.task_id), "  ", (safe_line(task.name), "bold"), about)
