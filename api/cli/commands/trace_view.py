"""A trace as a waterfall: when each span ran, drawn to scale."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.text import Text

from api.cli.commands.printing import Cell, print_line, print_table
from api.cli.display.amounts import duration, items_text, seconds_between
from api.cli.display.glyphs import glyphs_of, style_of
from api.cli.terminal import safe_line, stdout
from api.wire.responses.history import Span
from workflows.states import Status

BAR_COLUMNS = 40
_LEAST_BAR_COLUMNS = 10
_BESIDE_BAR_COLUMNS = 40  # A name of some length, and a time.
_ITEMS_SHOWN = 10
_INTERESTING = (Status.FAILED, Status.BLOCKED, Status.RUNNING, Status.QUEUED)


def print_trace(root: Span) -> None:
    start = root.start or datetime.now(UTC)
    total_seconds = max(seconds_between(start, root.end or datetime.now(UTC)), 0.001)
    print_table(
        ("SPAN", "TIME", "WHEN"),
        list(_rows(root, "", start, total_seconds)),
        cut="SPAN",
    )
    if root.is_cut:
        print_line("What comes later is left out. `agentos logs` and `agentos messages` show all.")


def _rows(span: Span, indent: str, origin: datetime, total: float) -> Iterator[tuple[Cell, ...]]:
    glyphs = glyphs_of(stdout())
    sign = Text.assemble(
        indent,
        (glyphs.of(span.status), style_of(span.status)),
        f" {safe_line(_title(span), 100)}",
        (" (cached)" if span.cached else "", "dim"),
    )
    end = span.end or datetime.now(UTC)
    took = duration(seconds_between(span.start, end)) if span.start else ""
    yield sign, took, _bar(span, end, origin, total)
    for child in _shown(span.children):
        yield from _rows(child, f"{indent}  ", origin, total)


def _shown(spans: Sequence[Span]) -> Sequence[Span]:
    """Of items only some that are at work, have failed or were cut off: their step counts all."""
    items = [span for span in spans if span.kind == "item"]
    shown = [item for item in items if _is_interesting(item)][:_ITEMS_SHOWN]
    return [*(span for span in spans if span.kind != "item"), *shown]


def _is_interesting(item: Span) -> bool:
    was_cut_off = item.status is Status.CANCELLED and item.start is not None
    return item.status in _INTERESTING or was_cut_off


def _title(span: Span) -> str:
    name = safe_line(span.name, 60)
    if items := [child for child in span.children if child.kind == "item"]:
        failed = sum(item.status in (Status.FAILED, Status.BLOCKED) for item in items)
        completed = sum(item.status is Status.COMPLETED for item in items)
        name += f" {items_text(len(items), completed, failed)}"
    return f"{name} (answered by {span.answered_by})" if span.answered_by else name


def _bar(span: Span, end: datetime, origin: datetime, total: float) -> Text:
    if span.start is None:
        return Text()
    columns = min(BAR_COLUMNS, max(_LEAST_BAR_COLUMNS, stdout().width - _BESIDE_BAR_COLUMNS))
    first = min(columns - 1, int(seconds_between(origin, span.start) / total * columns))
    last = min(columns, round(seconds_between(origin, end) / total * columns))
    block = "#" if stdout().options.ascii_only else "━"
    return Text.assemble(" " * first, (block * max(1, last - first), style_of(span.status)))
