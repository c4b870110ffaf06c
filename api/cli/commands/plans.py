"""``agentos plan``: how a task was split, on the screen or in a file to edit."""

from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands.options import Format, LongOutput, TaskId, place_option, told_apart
from api.cli.commands.plan_file import write_nodes
from api.cli.commands.plan_view import plan_lines, waiting_lines
from api.cli.commands.printing import draw, print_json
from api.cli.commands.task_ids import talk_about
from api.cli.display.amounts import counted
from api.client import AsyncClient as Client
from api.wire.responses.approvals import AskedCall
from api.wire.responses.plans import PlanOfTask


def plan(
    context: typer.Context,
    task: TaskId,
    place: Annotated[
        Any,
        place_option(
            "Write the nodes to this YAML file instead, to edit them; - for stdout.",
            "--file",
            metavar="FILE",
            default="",
        ),
    ] = None,
    output: LongOutput = Format.TABLE,
) -> None:
    """Show how a task was split, or write its nodes to a file."""
    file, output = told_apart(place, output)

    async def converse(client: Client, task_id: str) -> tuple[str, PlanOfTask, list[AskedCall]]:
        found = await client.plan(task_id)
        waits = output is Format.TABLE and file is None and not any(n.task_id for n in found.nodes)
        asked = (await client.approvals(task_id)).items if waits else []
        return task_id, found, asked

    task_id, found, asked = talk_about(context, task, converse)
    if file is not None:
        write_nodes(file, task_id, found.nodes)
        terminal.stderr().print(f"Wrote {counted(len(found.nodes), 'node')} to {file}", style="dim")
    elif output is Format.JSON:
        print_json(found)
    else:
        for line in (*plan_lines(task_id, found), *waiting_lines(task_id, asked)):
            draw(line)
