"""``agentos limits``: what may run at once, what runs, and what waits."""

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json, print_table
from api.client import AsyncClient as Client


def limits(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show what may run at once, what runs, and what waits for its turn."""
    found = talk(context, Client.limits)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (
            item.name,
            f"{item.running} of {item.max_running}" if item.max_running is not None else "",
            f"{item.per_minute}" if item.per_minute is not None else "",
            f"{item.waiting}",
        )
        for item in found.items
    ]
    print_table(("LIMIT", "RUNNING", "A MINUTE", "WAITING"), rows, cut="LIMIT")
    terminal.stderr().print(f"The team's weight is {found.weight:g}.", style="dim")
