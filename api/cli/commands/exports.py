"""``agentos export``: all that is known of a task, as a zip."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.filesize import decimal

from api.cli import terminal
from api.cli.commands.downloading import STDOUT, Force, print_file
from api.cli.commands.options import Format, LongOutput, TaskId, place_option, told_apart
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.task_ids import talk_about
from api.cli.errors import FileThere
from api.client import AsyncClient as Client


class Exported(BaseModel):
    """Where it was written."""

    task_id: str
    path: Path
    size: int


def export(
    context: typer.Context,
    task: TaskId,
    place: Annotated[
        Any,
        place_option(
            "File to write to; - is stdout.", "--to", metavar="FILE.zip", default="task-ID.zip"
        ),
    ] = None,
    force: Force = False,
    output: LongOutput = Format.TABLE,
) -> None:
    """Write all that is known of a task to a zip: definition, inputs, logs, messages and files."""
    path, output = told_apart(place, output)

    async def converse(client: Client, task_id: str) -> Exported:
        target = path or Path(f"task-{task_id[:8]}.zip")
        if target == STDOUT:
            with tempfile.TemporaryDirectory() as folder:
                whole = Path(folder) / "task.zip"
                size = await client.export(task_id, whole)
                print_file(whole)
            return Exported(task_id=task_id, path=target, size=size)
        if target.is_dir():
            target = target / f"task-{task_id[:8]}.zip"
        if target.exists() and not force:
            raise FileThere(path=target)
        size = await client.export(task_id, target)
        return Exported(task_id=task_id, path=target, size=size)

    exported = talk_about(context, task, converse)
    if path == STDOUT:
        return
    if output is Format.JSON:
        print_json(exported)
        return
    print_line(str(exported.path))
    terminal.stderr().print(decimal(exported.size), style="dim")
