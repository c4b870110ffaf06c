# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.10,<3.12"]
# ///
"""Draw one chart of a CSV file as PNG and SVG."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import wording  # noqa: E402
from choice import AGGREGATES, KINDS, Choice, choose  # noqa: E402
from csv_file import BadInput, add_csv_arguments, open_csv  # noqa: E402
from series import (  # noqa: E402
    AGGREGATE,
    Record,
    by_group,
    greatest,
    is_single,
    points,
    read_records,
    samples,
)
from table import Table, read_table  # noqa: E402

try:
    import drawing
except ModuleNotFoundError as missing:
    print(f"chart.py: {missing.name} is missing. Run: uv run {sys.argv[0]}", file=sys.stderr)
    sys.exit(2)

SHOWN_VALUES = 60

Values = dict[str, dict[str, float | None]]


@dataclass
class Drawn:
    """How a kind of chart came out: ``values`` are for a reader who cannot look at it."""

    categories: int = 0
    categories_shown: int = 0
    lying: bool = False
    values: Values = field(default_factory=dict)


def draw(table: Table, asked: Choice, arguments: argparse.Namespace) -> dict[str, object]:
    """Draw the chart, write its files, and return what was drawn."""
    choice = choose(table, asked)
    records = read_records(table, choice)
    aggregated = choice.aggregate == "count" or (
        choice.aggregate is not None and not is_single(records)
    )
    canvas = drawing.Canvas(arguments.width, arguments.height)
    drawn = DRAW[choice.kind or ""](canvas, records, choice, arguments)
    x_name, y_name = (
        wording.axis_name(choice.x) if choice.x else "",
        wording.value_name(choice, aggregated=aggregated),
    )
    title = arguments.title or wording.title(choice, aggregated=aggregated)
    canvas.finish(
        title,
        y_name if drawn.lying else x_name,
        x_name if drawn.lying else y_name,
        note=wording.note(table.rows, len(records), drawn.categories, drawn.categories_shown),
        legend=choice.group is not None and len(by_group(records)) > 1,
    )
    files = [str(path) for path in canvas.save(arguments.output, arguments.dpi)]
    if canvas.lacks_glyphs:
        print("chart.py: some characters are drawn as boxes: no font has them.", file=sys.stderr)
    return {
        **asdict(choice),
        "title": title,
        "rows": table.rows,
        "rows_drawn": len(records),
        "categories": drawn.categories,
        "categories_shown": drawn.categories_shown,
        "values": drawn.values,
        "files": files,
    }


def draw_bars(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: argparse.Namespace
) -> Drawn:
    aggregate = AGGREGATE[choice.aggregate or "mean"]
    shown = greatest(records, aggregate, arguments.top, arguments.order)
    bars = {
        group: [aggregate(values) if values else None for values in by_category]
        for group, by_category in samples(records, shown).items()
    }
    lying = drawing.draw_bars(canvas.axes, shown, bars)
    if lying:
        canvas.make_room(len(shown) * len(bars))
    values = {group: dict(zip(shown, heights, strict=True)) for group, heights in bars.items()}
    return Drawn(len({record.x for record in records}), len(shown), lying, briefly(values))


def draw_boxes(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: argparse.Namespace
) -> Drawn:
    median = AGGREGATE["median"]
    shown = greatest(records, median, arguments.top, arguments.order)
    boxes = samples(records, shown)
    lying = drawing.draw_boxes(canvas.axes, shown if choice.x else [""], boxes)
    if lying:
        canvas.make_room(len(shown) * len(boxes))
    values: Values = {
        group: {name: median(v) for name, v in zip(shown, by_category, strict=True) if v}
        for group, by_category in boxes.items()
    }
    return Drawn(len({record.x for record in records}), len(shown), lying, briefly(values))


def draw_lines(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: argparse.Namespace
) -> Drawn:
    lines = points(records, choice.aggregate)
    drawing.draw_lines(canvas.axes, lines)
    values: Values = {
        group: {str(x): y for x, y in zip(xs, ys, strict=True)} for group, (xs, ys) in lines.items()
    }
    return Drawn(values=briefly(values))


def draw_scatter(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: argparse.Namespace
) -> Drawn:
    drawing.draw_scatter(canvas.axes, points(records, None))
    return Drawn()


def draw_histogram(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: argparse.Namespace
) -> Drawn:
    values = {group: xs for group, (xs, _) in points(records, None).items()}
    numbers = {group: [x for x in xs if isinstance(x, float)] for group, xs in values.items()}
    drawing.draw_histogram(canvas.axes, numbers, arguments.bins)
    return Drawn()


Draw = Callable[[drawing.Canvas, list[Record], Choice, argparse.Namespace], Drawn]
DRAW: dict[str, Draw] = {
    "bar": draw_bars,
    "box": draw_boxes,
    "line": draw_lines,
    "scatter": draw_scatter,
    "hist": draw_histogram,
}


def briefly(values: Values) -> Values:
    """The figures in the chart, if they are few enough to read."""
    few = sum(map(len, values.values())) <= SHOWN_VALUES
    return {group or "all": figures for group, figures in values.items()} if few else {}


def bounded(kind: type, low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value: float = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text}: give a number from {low} to {high}")
        return value

    parse.__name__ = kind.__name__  # argparse names the type in its message
    return parse


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Draw one chart of a CSV file as PREFIX.png and PREFIX.svg, and print what was "
        "drawn as JSON. What you do not name is chosen by the look of the data.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file")
    add("--kind", choices=KINDS, help="kind of chart")
    add("--x", metavar="COLUMN", help="categories (bar, box), positions (line, scatter), or values")
    add("--y", metavar="COLUMN", help="values")
    add("--group", metavar="COLUMN", help="one colour for each value of this column")
    add("--aggregate", choices=AGGREGATES, help="of bar and line: how to make one value of many")
    add("--title", help="default: made from the column names")
    add("-o", "--output", type=prefix, default=Path("chart"), metavar="PREFIX", help="e.g. chart")
    add("--top", type=bounded(int, 1, 60), default=30, help="bars or boxes at most (default: 30)")
    add("--order", choices=("value", "name", "file"), default="value", help="of bars and boxes")
    add("--bins", type=bounded(int, 1, 500), help="of a histogram")
    add("--width", type=bounded(float, 2, 40), default=8.0, help="inches (default: 8)")
    add("--height", type=bounded(float, 2, 40), help="inches (default: 5, more for many bars)")
    add("--dpi", type=bounded(int, 50, 600), default=160, help="of the PNG (default: 160)")
    add_csv_arguments(parser)
    return parser.parse_args()


def prefix(text: str) -> Path:
    """``chart.png`` is taken for ``chart``."""
    path = Path(text)
    return path.with_suffix("") if path.suffix.lower() in (".png", ".svg") else path


def main() -> int:
    arguments = parse_arguments()
    asked = Choice(arguments.kind, arguments.x, arguments.y, arguments.group, arguments.aggregate)
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        summary = draw(read_table(source), asked, arguments)
    except (BadInput, OSError) as error:
        print(f"chart.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
