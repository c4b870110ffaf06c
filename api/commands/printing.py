"""Data on stdout: the API's own documents, or tables for people."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from pydantic import BaseModel
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api import terminal
from api.glyphs import STYLES, glyphs_of
from api.terminal import safe_json, safe_line
from workflows.contracts import Status

Cell = str | Text


def print_json(document: BaseModel) -> None:
    """A document as the API gives it, indented."""
    _write(document.model_dump_json(indent=2))


def print_json_line(document: BaseModel) -> None:
    """One of many documents, one a line."""
    _write(document.model_dump_json())


def _write(document: str) -> None:
    encoding = terminal.stdout().encoding
    try:
        document.encode(encoding)
    except UnicodeEncodeError:
        document = json.dumps(json.loads(document), indent=2)
    typer.echo(safe_json(document))


def print_line(text: str) -> None:
    typer.echo(safe_line(text))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """The first column is kept whole, however narrow the terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, no_wrap=True, overflow="ellipsis" if index else "ignore")
    for row in rows:
        table.add_row(*map(_safe, row))
    show(table)


def print_fields(fields: Sequence[tuple[str, Cell]]) -> None:
    """What is known of one thing, a line each; a long value is wrapped beside its label."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in fields:
        table.add_row(Text(safe_line(label)), _safe(value))
    show(table)


def print_title(title: str) -> None:
    show(Text.assemble("\n", (title, "bold")))


def show(renderable: RenderableType) -> None:
    terminal.stdout().print(renderable, crop=False)


def status_cell(status: Status) -> Text:
    sign = glyphs_of(terminal.stdout()).of(status)
    return Text(f"{sign} {status.value}", style=STYLES[status])


def short_id(task_id: object) -> str:
    """What is enough for people; a program that reads the table gets the whole of it."""
    return str(task_id)[:8] if terminal.stdout().is_terminal else str(task_id)


def when(moment: datetime | None) -> str:
    """For people how long ago, for programs the moment."""
    if moment is None:
        return ""
    if not terminal.stdout().is_terminal:
        return moment.isoformat(timespec="seconds")
    return f"{_rounded((datetime.now(UTC) - moment).total_seconds())} ago"


def _safe(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(safe_line(cell))


def _rounded(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
