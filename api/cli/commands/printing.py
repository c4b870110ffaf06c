"""Data on stdout: the API's own documents, or tables for people."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import typer
from pydantic import BaseModel, JsonValue
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.cli import terminal
from api.cli.display.glyphs import glyphs_of, style_of
from api.cli.terminal import safe_json, safe_line, safe_text
from api.wire.responses.tasks import AgentResult
from workflows.open_values import Unknown
from workflows.states import Status, TaskType

Cell = str | Text

_GAP_COLUMNS = 3
_NARROW_GAP_COLUMNS = 2
# The column that is cut keeps so many while others can still be left out, and so many in the end.
_KEPT_COLUMNS = 24
_LEAST_COLUMNS = 12
_LEAST_OF_OTHERS = 6
_TEXT_CHARACTERS = 200

_PARAGRAPHS = re.compile(r"\n\s*\n")


def print_json(document: BaseModel) -> None:
    """A document as the API gives it, indented."""
    _write(document, indent=2)


def print_json_line(document: BaseModel) -> None:
    """One of many documents, one a line."""
    _write(document, indent=None)


def print_document(value: BaseModel | JsonValue) -> None:
    """Any value of JSON, such as what a newer server gives as a result."""
    if isinstance(value, BaseModel):
        print_json(value)
        return
    text = json.dumps(value, indent=2, ensure_ascii=False)
    typer.echo(safe_json(text if _is_printable(text) else json.dumps(value, indent=2)))


def _write(document: BaseModel, *, indent: int | None) -> None:
    text = document.model_dump_json(indent=indent)
    if not _is_printable(text):
        text = document.model_dump_json(indent=indent, ensure_ascii=True)
    typer.echo(safe_json(text))


def _is_printable(text: str) -> bool:
    try:
        text.encode(terminal.stdout().encoding)
    except UnicodeEncodeError:
        return False
    return True


def print_line(text: str) -> None:
    typer.echo(safe_line(text))


def print_text(text: str) -> None:
    """Lines that somebody else wrote."""
    typer.echo(safe_text(text))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    cut: str | None = None,
    spare: Sequence[str] = (),
    none: str = "There is nothing to show.",
) -> None:
    """On a terminal that is too narrow, the column ``cut`` is cut; before little is left of it,
    those that are ``spare`` are left out, the first of them first. Of no rows stderr tells, with
    ``none``."""
    if not rows:
        terminal.stderr().print(none, style="dim", soft_wrap=True)
        return
    cells = [[_safe(cell) for cell in row] for row in rows]
    widths = {
        column: max(len(column), *(row[index].cell_len for row in cells), 0)
        for index, column in enumerate(columns)
    }
    gap = fit(widths, terminal.stdout().width, cut, spare)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for column, width in widths.items():
        table.add_column(
            column, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width
        )
    for row in cells:
        named = dict(zip(columns, row, strict=True))
        table.add_row(*(named[column] for column in widths))
    draw(table)


def fit(widths: dict[str, int], space: int, cut: str | None, spare: Sequence[str]) -> int:
    """Make the columns fit, as ``print_table`` says; gives the gap between two of them.

    Where all that is not enough, the widest of the others are cut as well, but never the first:
    that is by which one names the thing.
    """
    if _taken(widths, _GAP_COLUMNS) <= space:
        return _GAP_COLUMNS
    gap = _NARROW_GAP_COLUMNS
    wanted = widths.get(cut, 0) if cut else 0
    if cut:
        widths[cut] = min(wanted, _KEPT_COLUMNS)
    for column in spare:
        if _taken(widths, gap) > space:
            del widths[column]
    if cut:
        room = widths[cut] + space - _taken(widths, gap)
        widths[cut] = min(wanted, max(min(wanted, _LEAST_COLUMNS), room))
    while (over := _taken(widths, gap) - space) > 0:
        others = [column for column in list(widths)[1:] if column != cut]
        widest = max(others, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST_OF_OTHERS:
            break
        second = max((widths[each] for each in others if each != widest), default=0)
        widths[widest] = max(widths[widest] - over, min(second, widths[widest] - 1), 0)
        widths[widest] = max(widths[widest], _LEAST_OF_OTHERS)
    return gap


def _taken(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def print_fields(fields: Sequence[tuple[str, Cell]]) -> None:
    """What is known of one thing, a line each; a long value is wrapped beside its label."""
    labels = [safe_line(label) for label, _ in fields]
    width = max(map(len, labels), default=0) + _GAP_COLUMNS
    for label, (_, value) in zip(labels, fields, strict=True):
        text = _safe(value)
        if " " not in text.plain:
            # Left to the terminal to wrap: a URL that is cut in two cannot be clicked.
            whole = Text.assemble((f"{label:<{width}}", "dim"), text)
            terminal.stdout().print(whole, soft_wrap=True)
            continue
        line = Table.grid()
        line.add_column(style="dim", width=width)
        line.add_column(overflow="fold")
        line.add_row(label, text)
        draw(line)


def print_agents_result(result: object) -> None:
    """What a model has given to ``finish``; of anything else nothing."""
    if not isinstance(result, AgentResult):
        return
    print_title("Summary")
    print_text(result.summary)
    if result.result is not None:
        print_title("Result")
        print_text(json.dumps(result.result, indent=2, ensure_ascii=False))


def print_title(title: str) -> None:
    draw(Text.assemble("\n", (title, "bold")))


def draw(renderable: RenderableType) -> None:
    """Something to be drawn; its text must have been made safe."""
    terminal.stdout().print(renderable, crop=False)


def status_cell(status: Status | Unknown) -> Text:
    sign = glyphs_of(terminal.stdout()).of(status)
    return Text(f"{sign} {status.value}", style=style_of(status))


def route_text(task_type: TaskType | Unknown, reason: str) -> str:
    """What a task has become, and why."""
    return f"{task_type.value} ({reason})" if reason else task_type.value


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


def at(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """A moment by the clock, such as one that is still to come: for people by that of the zone."""
    if moment is None:
        return ""
    if not terminal.stdout().is_terminal:
        return moment.isoformat(timespec="seconds")
    return f"{moment.astimezone(zone):%F %T %Z}"


def beginning(text: str) -> str:
    """A line of it at most: the whole may be a hundred pages, and is in the JSON."""
    lines = text.strip().splitlines() or [""]
    first = lines[0][:_TEXT_CHARACTERS].rstrip()
    return first if first == text.strip() else f"{first} ..."


def first_paragraph(text: str) -> str:
    """As one line: what docstrings begin with says what a thing is for."""
    return " ".join(_PARAGRAPHS.split(text.strip(), maxsplit=1)[0].split())


def _safe(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(safe_line(cell))


def _rounded(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
