"""``agentos breakers``: the circuit breakers of tools, MCP servers and models."""

from typing import Annotated

import typer
from rich.text import Text

from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import at, print_json, print_table
from api.wire.requests import MAX_BREAKER_SECONDS, BreakerDecision
from api.wire.responses.breakers import Breaker
from workflows.states import BreakerState

_STYLES: dict[str, str] = {
    BreakerState.CLOSED: "green",
    BreakerState.OPEN: "red",
    BreakerState.HALF_OPEN: "yellow",
}

app = typer.Typer(no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", show_default=False, help="tool:NAME, mcp:SERVER or model:NAME."),
]
Note = Annotated[str, typer.Option(metavar="TEXT", show_default=False, help="Why.")]


def _seconds(text: str) -> typer.models.OptionInfo:
    option = typer.Option(
        metavar="SECONDS", show_default=False, min=0.001, max=MAX_BREAKER_SECONDS, help=text
    )
    assert isinstance(option, typer.models.OptionInfo)
    return option


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the breakers that are not closed, or opened in the last day."""
    page = talk(context, lambda client: whole_list(client.breakers))
    print_json(page) if output is Format.JSON else _print(page.items)


@app.command("open")
def open_(
    context: typer.Context,
    name: Name,
    seconds: Annotated[float | None, _seconds("After these it is tried again.")] = None,
    note: Note = "",
    output: Output = Format.TABLE,
) -> None:
    """Open a breaker: what it guards is not called until you close it."""
    decision = BreakerDecision(seconds=seconds, note=note)
    breaker = talk(context, lambda client: client.open_breaker(name, decision))
    print_json(breaker) if output is Format.JSON else _print([breaker])


@app.command()
def close(
    context: typer.Context,
    name: Name,
    seconds: Annotated[float | None, _seconds("For these it does not open again.")] = None,
    note: Note = "",
    output: Output = Format.TABLE,
) -> None:
    """Close a breaker: what it guards is called again."""
    decision = BreakerDecision(seconds=seconds, note=note)
    breaker = talk(context, lambda client: client.close_breaker(name, decision))
    print_json(breaker) if output is Format.JSON else _print([breaker])


def _print(breakers: list[Breaker]) -> None:
    rows = [
        (
            each.name,
            Text(str(each.state), style=_STYLES.get(each.state, "")),
            at(each.until),
            str(each.opened),
            each.note or each.reason,
        )
        for each in breakers
    ]
    print_table(("NAME", "STATE", "UNTIL", "OPENED", "WHY"), rows, cut="WHY", spare=("OPENED",))
