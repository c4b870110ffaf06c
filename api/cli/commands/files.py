"""``agentos files``: upload files, to be inputs of tasks."""

from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal

from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json, print_table
from api.client import AsyncClient as Client
from api.wire.responses.files import File
from api.wire.responses.pages import Page

app = typer.Typer(no_args_is_help=True)


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
        print_table(("REFERENCE", "NAME", "SIZE"), rows)
