"""``agentos usage``: tokens and cost of the team's agents."""

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json, print_table
from api.client import AsyncClient as Client


def usage(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show the agents' tokens and cost by day, and what is left of today's quota."""
    found = talk(context, Client.usage)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [(f"{item.day:%F}", f"{item.tokens:,}", f"{item.cost_usd:.4f}") for item in found.days]
    print_table(("DAY (UTC)", "TOKENS", "US DOLLARS"), rows)
    if found.daily_tokens is not None:
        left = f"{found.tokens_left:,} of {found.daily_tokens:,} tokens are left today."
        terminal.stderr().print(left, style="dim")
