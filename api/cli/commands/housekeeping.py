"""``agentos housekeeping``: how long things are kept, and what was removed."""

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import at, print_json, print_table
from api.client import AsyncClient as Client
from api.wire.responses.housekeeping import SweepView


def housekeeping(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show how long things are kept, and what housekeeping has removed."""
    found = talk(context, Client.housekeeping)
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (
            sweep.name,
            _kept(sweep),
            f"{sweep.removed:,}",
            f"{sweep.freed_bytes:,}",
            f"{sweep.remaining:,}",
            at(sweep.swept_at),
        )
        for sweep in found.sweeps
    ]
    print_table(
        ("WHAT", "KEPT", "REMOVED", "BYTES", "LEFT", "LAST LOOKED AT"),
        rows,
        spare=("LAST LOOKED AT", "BYTES"),
    )
    last = found.last_pass
    if last.ended_at is not None and last.duration_ms is not None:
        told = f"The last pass ended at {at(last.ended_at)}, after {last.duration_ms:,} ms."
        terminal.stderr().print(told, style="dim")


def _kept(sweep: SweepView) -> str:
    if sweep.keep_days is None:
        kept = "forever"
    elif sweep.keep_days == 0:
        kept = ""
    else:
        kept = f"{sweep.keep_days:,} d"
    return f"{kept} (team)" if sweep.is_own else kept
