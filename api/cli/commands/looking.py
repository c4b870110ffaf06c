"""``agentos ls|show``: the tasks that there are.

They are typed again and again, so no more is loaded than they need.
"""

from collections.abc import Sequence
from typing import Annotated

import typer

from api.cli.commands.moments import check_order
from api.cli.commands.options import Format, NoPager, Output, TaskId, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json
from api.cli.commands.task_filter import (
    NewerThan,
    OfName,
    OfStatus,
    OfType,
    OlderThan,
    TaskFilter,
    WithText,
)
from api.cli.commands.task_ids import find_task_id, talk_about
from api.cli.commands.task_table import print_tasks
from api.cli.commands.task_views import Shown, print_task
from api.cli.errors import NoNodes
from api.cli.kinds.views import view_of
from api.cli.pager import paged
from api.client.tasks import TaskClient
from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary
from workflows.states import TaskType


def ls(
    context: typer.Context,
    *,
    statuses: OfStatus = None,
    types: OfType = None,
    name: OfName = None,
    text: WithText = None,
    after: NewerThan = None,
    before: OlderThan = None,
    parent: Annotated[
        str | None,
        typer.Option(
            "--parent", metavar="ID", show_default=False, help="The tasks that are its nodes."
        ),
    ] = None,
    retrying: Annotated[
        bool, typer.Option("--retrying", help="Only those that try again what has failed.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of tasks.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Show all tasks.")] = False,
    no_pager: NoPager = False,
    output: Output = Format.TABLE,
) -> None:
    """List tasks, newest first."""
    check_order(after, before)
    wanted = dict[str, str | Sequence[str]](
        TaskFilter(statuses, types, text, name, after, before).fields
    )
    if retrying:
        wanted["retrying"] = "true"

    async def converse(client: TaskClient) -> Page[TaskSummary]:
        if parent is not None:
            wanted["parent_id"] = await find_task_id(client, parent)
        found = await first_items(client.tasks, wanted, None if everything else limit)
        if parent is not None and not found.items:
            task = await client.task(str(wanted["parent_id"]))
            if task.type is not TaskType.PLAN:
                raise NoNodes(task_id=task.task_id, type=task.type.value)
        return found

    page = talk(context, converse, TaskClient)
    if output is Format.JSON:
        print_json(page)
        return
    with paged(wanted=not no_pager):
        print_tasks(page.items)


def show(
    context: typer.Context, task: TaskId, no_pager: NoPager = False, output: Output = Format.TABLE
) -> None:
    """Show a task with its steps and files."""

    async def converse(client: TaskClient, task_id: str) -> Shown:
        found = await client.task(task_id)
        if output is Format.JSON:
            return Shown(found)
        drawing = await view_of(found.type).drawing(client, found)
        inputs = (await client.inputs(task_id)).items if found.inputs else ()
        return Shown(found, drawing, inputs)

    shown = talk_about(context, task, converse, TaskClient)
    if output is Format.JSON:
        print_json(shown.task)
        return
    with paged(wanted=not no_pager):
        print_task(shown)
