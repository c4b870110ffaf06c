"""``agentos files``: files that are uploaded, to be inputs of tasks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.filesize import decimal

from api.cli import terminal
from api.cli.commands.asking import ask
from api.cli.commands.downloading import STDOUT, Force, fetch_all
from api.cli.commands.file_ids import find_files
from api.cli.commands.options import (
    Format,
    LongOutput,
    Output,
    Yes,
    place_option,
    talk,
    told_apart,
)
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json, print_line, print_table, short_id, when
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.responses.files import File, ListedFile
from api.wire.responses.pages import Page
from api.wire.responses.tasks import TaskSummary
from workflows.states import FINAL, Status

app = typer.Typer(no_args_is_help=True)

_USERS_SHOWN = 5
_BAD = sorted(FINAL - {Status.COMPLETED})

FoundFile = tuple[str, ListedFile | None]
FileIds = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        show_default=False,
        help="Ids of uploads, their first six or more characters, references (file:ID), or names.",
    ),
]


class FetchedFile(BaseModel):
    """A downloaded file, and where it was written."""

    id: str
    name: str
    path: Path


@app.command()
def put(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    output: Output = Format.TABLE,
) -> None:
    """Upload files and print the references to use as inputs."""

    async def upload(client: Client) -> list[File]:
        return [await client.upload(path) for path in paths]

    uploaded = talk(context, upload)
    if output is Format.JSON:
        print_json(Page(items=uploaded))
    else:
        rows = [(f"file:{file.id}", file.name, decimal(file.size)) for file in uploaded]
        print_table(("REFERENCE", "NAME", "SIZE"), rows, cut="NAME", spare=("SIZE",))


@app.command()
def ls(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of files.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Show all files.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """List what was uploaded, newest first."""
    most = None if everything else limit
    page = talk(context, lambda client: first_items(client.uploads.list, {}, most))
    if output is Format.JSON:
        print_json(page)
        return
    rows = [
        (f"file:{file.id}", file.name, decimal(file.size), file.mime_type, when(file.created_at))
        for file in page.items
    ]
    columns = ("REFERENCE", "NAME", "SIZE", "TYPE", "UPLOADED")
    print_table(columns, rows, cut="NAME", spare=("TYPE", "UPLOADED", "SIZE"))


@app.command()
def get(
    context: typer.Context,
    files: FileIds,
    place: Annotated[
        Any,
        place_option(
            "Folder to write to; - prints a single file.", "--to", metavar="FOLDER", default="."
        ),
    ] = None,
    force: Force = False,
    output: LongOutput = Format.TABLE,
) -> None:
    """Download uploads, verify them, and print their paths."""
    path, output = told_apart(place, output)
    folder = path or Path()
    if folder.is_file():
        raise typer.BadParameter(f"{folder} is a file", param_hint="-o")

    async def fetch(client: Client) -> list[FetchedFile]:
        ids = [file_id for file_id, _ in await find_files(client, files)]
        wanted = [await client.uploads.describe(file_id) for file_id in ids]
        paths = await fetch_all(wanted, folder, client.uploads.download, force=force)
        return [
            FetchedFile(id=item.id, name=item.name, path=path)
            for item, path in zip(wanted, paths, strict=True)
        ]

    fetched = talk(context, fetch)
    if folder == STDOUT:
        return
    if output is Format.JSON:
        print_json(Page(items=fetched))
        return
    for item in fetched:
        print_line(str(item.path))


@app.command()
def rm(
    context: typer.Context,
    files: FileIds,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which these are.")] = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Delete uploads. One is refused that a task needs which has not ended, or a schedule."""

    async def find(client: Client) -> tuple[Sequence[FoundFile], Sequence[Page[TaskSummary]]]:
        found = await find_files(client, files)
        return found, [await _ended_badly(client, file_id) for file_id, _ in found]

    found, users = talk(context, find)
    _tell(found)
    for page in users:
        _tell_users(page)
    if dry_run:
        _print_found(found, output)
        return
    many = f"these {len(found)} files" if len(found) > 1 else "this file"
    ask(f"Delete {many}? Tasks that had one can no longer be run again with it.", yes=yes)

    async def delete(client: Client) -> None:
        for file_id, _ in found:
            await client.uploads.delete(file_id)
            if output is Format.TABLE:
                typer.echo(file_id)

    talk(context, delete)
    if output is Format.JSON:
        print_json(Page(items=[file_id for file_id, _ in found]))


def _print_found(found: Sequence[FoundFile], output: Format) -> None:
    ids = [file_id for file_id, _ in found]
    if output is Format.JSON:
        print_json(Page(items=ids))
        return
    for file_id in ids:
        print_line(file_id)


async def _ended_badly(client: Client, file_id: str) -> Page[TaskSummary]:
    """Tasks that had a file as an input, and that somebody may still want to retry."""
    wanted = {"given": f"file:{file_id}", "status": _BAD, "limit": str(_USERS_SHOWN)}
    return await client.tasks(wanted)


def _tell_users(page: Page[TaskSummary]) -> None:
    for task in page.items:
        line = f"{short_id(task.task_id)}  {task.name}, {task.status.value}, had it as an input"
        terminal.stderr().print(f"  {safe_line(line)}", style="yellow", soft_wrap=True)
    if page.next_cursor is not None:
        terminal.stderr().print("  and more", style="yellow")


def _tell(found: Sequence[FoundFile]) -> None:
    for file_id, file in found:
        if file is not None:
            line = f"{file_id}  {file.name}, {decimal(file.size)}"
            terminal.stderr().print(safe_line(line), style="dim", soft_wrap=True)
