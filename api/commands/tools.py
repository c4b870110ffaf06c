"""``agentos tools``: what steps and agents can call."""

from typing import Annotated

import typer
from rich.text import Text

from api.client import Client
from api.commands.options import Format, Output, talk
from api.commands.printing import print_json, print_table
from api.schemas import Tool, ToolChange

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="A tool's name.")]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the tools."""
    page = talk(context, Client.tools)
    print_json(page) if output is Format.JSON else _print(page.items)


@app.command()
def enable(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Let the tool be called."""
    _switch(context, name, output, is_active=True)


@app.command()
def disable(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Let the tool not be called."""
    _switch(context, name, output, is_active=False)


def _switch(context: typer.Context, name: str, output: Format, *, is_active: bool) -> None:
    change = ToolChange(is_active=is_active)
    tool = talk(context, lambda client: client.change_tool(name, change))
    print_json(tool) if output is Format.JSON else _print([tool])


def _print(tools: list[Tool]) -> None:
    rows = [
        (
            tool.name,
            Text("on", style="green") if tool.is_active else Text("off", style="red"),
            tool.permission_level.value,
            tool.type.value,
            tool.description,
        )
        for tool in tools
    ]
    print_table(("NAME", "STATE", "PERMISSION", "TYPE", "DESCRIPTION"), rows, cut="DESCRIPTION")
