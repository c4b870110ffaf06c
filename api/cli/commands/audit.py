"""``agentos audit``: who did what, when, and why."""

import json
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from api.cli import terminal
from api.cli.commands.moments import After, Before
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import Cell, print_json, print_table, short_id, when
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.audit_actions import hint_on
from api.wire.responses.audit import AuditEntry
from api.wire.responses.pages import Page

_WHY = "WHY, AND DETAILS"


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
    print_entries(page.items)
    if not page.items:  # A newer server may have what is not known here.
        for hint in filter(None, map(hint_on, actions or ())):
            terminal.stderr().print(safe_line(hint), style="yellow", soft_wrap=True)


def print_entries(entries: Sequence[AuditEntry]) -> None:
    columns = ("WHEN", "WHO", "WHAT", "TO", _WHY)
    print_table(columns, [_row(entry) for entry in entries], cut=_WHY, spare=("WHO",))


def _row(entry: AuditEntry) -> Sequence[Cell]:
    told = [entry.note] if entry.note else []
    told += [f"{name}={_value(value)}" for name, value in entry.details.items()]
    return (
        when(entry.created_at),
        entry.actor,
        entry.action,
        _target(entry.target),
        "; ".join(told),
    )


def _target(target: str) -> str:
    try:
        return short_id(UUID(target))
    except ValueError:
        return target


def _value(value: JsonValue) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
