"""``agentos agents templates``: what agents that stay can be made of."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.agent_views import print_templates
from api.cli.commands.document_file import read_document
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.request_body import built
from api.cli.errors import TemplateFileRefused, TemplateInvalid
from api.client import AsyncClient as Client
from api.wire.agent_requests import TemplateRequest

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List templates, and the files that cannot be used."""
    found = talk(context, lambda client: client.agents.templates())
    print_json(found) if output is Format.JSON else print_templates(found)


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a template, as JSON."""
    print_json(talk(context, lambda client: client.agents.template(name)))


@app.command("set")
def set_template(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="YAML or JSON; - is stdin.")
    ],
    output: Output = Format.TABLE,
) -> None:
    """Set a template of your team to what a file says."""
    document = read_document(file, TemplateFileRefused)
    if not isinstance(document, dict):
        raise TemplateFileRefused(path=file, reason="a template is an object")
    request = built(TemplateRequest, document, TemplateInvalid)
    made = talk(context, lambda client: client.agents.set_template(name, request))
    print_json(made) if output is Format.JSON else print_line(made.name)


@app.command()
def rm(context: typer.Context, name: Name) -> None:
    """Delete a template of your team. One that is a file shows again."""

    async def converse(client: Client) -> None:
        await client.agents.delete_template(name)

    talk(context, converse)
    print_line(name)
