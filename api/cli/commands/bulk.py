"""``agentos bulk ls|show|abort``: the same done about many dead letters or tasks."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import first_items
from api.cli.commands.printing import (
    Cell,
    print_fields,
    print_json,
    print_table,
    print_title,
    short_id,
    when,
)
from api.cli.errors import BulkIdUnknown
from api.client import AsyncClient as Client
from api.wire.bulk import AbortRequest
from api.wire.responses.bulk import BulkRun
from api.wire.responses.pages import MAX_PAGE
from workflows.states import BulkAction

app = typer.Typer(help="Bulk runs: over dead letters, which `agentos dlq` starts, or over tasks.")

BulkId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Its id, or the first six or more characters.", show_default=False
    ),
]
_LEAST_CHARACTERS = 6
_COLUMNS = (
    *("ID", "STATE", "ACTION", "COUNT", "LEFT", "REQUEUED", "COMPLETED", "FAILED", "SKIPPED"),
    *("STARTED", "BY"),
)


@app.command("ls")
def ls(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of bulk runs.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="Show all bulk runs.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """List bulk runs, newest first."""
    most = None if everything else limit
    page = talk(context, lambda client: first_items(client.bulk_runs, {}, most))
    if output is Format.JSON:
        print_json(page)
        return
    print_runs(page.items)


@app.command("show")
def show(context: typer.Context, bulk: BulkId, output: Output = Format.TABLE) -> None:
    """Show how far a bulk run is, and why something was skipped."""

    async def converse(client: Client) -> BulkRun:
        return await client.bulk_run(await find_bulk_id(client, bulk))

    print_run(talk(context, converse), output)


@app.command("abort")
def abort(
    context: typer.Context,
    bulk: BulkId,
    note: Annotated[str, typer.Option("--note", help="Why, for the audit log.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Leave the rest as it is. Tasks that run again already go on."""
    request = AbortRequest(note=note)

    async def converse(client: Client) -> BulkRun:
        return await client.abort_bulk(await find_bulk_id(client, bulk), request)

    run = talk(context, converse)
    if output is Format.JSON:
        print_json(run)
        return
    typer.echo(f"{run.id}  {run.state.value}")
    terminal.stderr().print(f"{run.counts.left} {_noun(run)} are left as they are.", style="dim")


async def find_bulk_id(client: Client, text: str) -> str:
    """The id of the one bulk run, among the newest, whose id begins so; a whole id is taken as it
    is. Raises ``BulkIdUnknown``."""
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    found = []
    if len(wanted) >= _LEAST_CHARACTERS:
        page = await client.bulk_runs({"limit": MAX_PAGE})
        found = [str(run.id) for run in page.items if str(run.id).startswith(wanted)]
    if len(found) != 1:
        raise BulkIdUnknown(text=text, count=MAX_PAGE)
    return found[0]


def print_runs(runs: Sequence[BulkRun]) -> None:
    spare = ("BY", "STARTED", "ACTION", "SKIPPED", "REQUEUED")  # `show` has them.
    print_table(_COLUMNS, list(map(_row, runs)), cut="STATE", spare=spare)


def print_run(run: BulkRun, output: Format) -> None:
    if output is Format.JSON:
        print_json(run)
        return
    print_fields(_fields(run))
    if run.skipped:
        print_title("Skipped")
        rows = [(reason.code, str(reason.count), reason.example) for reason in run.skipped]
        print_table(("WHY", "COUNT", "SUCH AS"), rows, cut="SUCH AS")


def progress_text(run: BulkRun) -> str:
    """How far it is, in one line."""
    counts = run.counts
    parts = {
        "running": counts.running,
        "completed": counts.completed,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "discarded": counts.discarded,
        "done": counts.done,
        "skipped": counts.skipped,
        "left": counts.left,
    }
    told = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    return f"{counts.total:,} {_noun(run)}: {told or 'nothing to do'}"


def _noun(run: BulkRun) -> str:
    is_of_tasks = run.action in {str(action) for action in BulkAction if action.is_of_tasks}
    return "tasks" if is_of_tasks else "dead letters"


def _fields(run: BulkRun) -> Sequence[tuple[str, Cell]]:
    chosen = run.filter or {}
    filter_text = ", ".join(f"{name}={value}" for name, value in chosen.items())
    fields: list[tuple[str, Cell]] = [
        ("Bulk run", str(run.id)),
        ("State", run.state.value),
        ("Why", run.reason),
        ("Action", run.action.value),
        (
            "Which",
            filter_text or ("all of them" if _noun(run) == "tasks" else "all that were open"),
        ),
        ("Note", run.note),
        ("By", run.actor),
        ("Rate", f"{run.rate:,} a minute"),
        ("Canary", str(run.canary) if run.canary else ""),
        ("Started", when(run.created_at)),
        ("Ended", when(run.ended_at)),
        ("So far", progress_text(run)),
    ]
    return [field for field in fields if field[1]]


def _row(run: BulkRun) -> Sequence[Cell]:
    counts = run.counts
    return (
        short_id(run.id),
        run.state.value,
        run.action.value,
        f"{counts.total:,}",
        f"{counts.left:,}",
        f"{counts.requeued:,}",
        f"{counts.completed:,}",
        f"{counts.failed:,}",
        f"{counts.skipped:,}",
        when(run.created_at),
        run.actor,
    )
