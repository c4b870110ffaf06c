"""``agentos audit``: who did what, when, and why."""

from collections.abc import Sequence
from typing import Annotated

import typer

from api.cli.commands.moments import After, Before
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import Cell, print_json, print_table, when
from api.client import Client
from api.wire.responses.audit import AuditEntry
from api.wire.responses.pages import Page


def audit(
    context: typer.Context,
    *,
    actor: Annotated[
        str | None, typer.Option("--actor", help="Only of this one: the name of a key.")
    ] = None,
    actions: Annotated[
        list[str] | None,
        typer.Option("--action", help="Only this: task.cancelled, or task for all done to tasks."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Only what was done to this: how its id or name begins."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Only with this text in the note.")
    ] = None,
    since: After = None,
    until: Before = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of entries.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Show all entries.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show who did what, when, and why, newest first."""
    words = {"actor": actor, "target": target, "text": text}
    words |= {"created_after": since, "created_before": until}
    params: dict[str, str | Sequence[str]] = {"action": actions or ()}
    params |= {name: word for name, word in words.items() if word is not None}

    async def converse(client: Client) -> Page[AuditEntry]:
        return await first_items(client.audit, params, None if everything else limit)

    page = talk(context, converse)
    if output is Format.JSON:
        print_json(page)
        return
    rows = [_row(entry) for entry in page.items]
    print_table(("WHEN", "WHO", "WHAT", "TO", "WHY"), rows, cut="WHY")


def _row(entry: AuditEntry) -> Sequence[Cell]:
    return (when(entry.created_at), entry.actor, entry.action, entry.target, entry.note)
