"""The chart as a whole: what each kind draws of the records, and what is reported of it."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import drawing
import wording
from choice import Choice
from series import AGGREGATE, Record, by_group, greatest, is_single, points, samples
from table import Table

SHOWN_VALUES = 60

NO_GLYPH = "Some characters are drawn as boxes: no installed font has them."

Summary = dict[str, object]
Values = dict[str, dict[str, float]]


@dataclass
class Drawn:
    """How a kind of chart came out: ``values`` are for a reader who cannot look at it."""

    categories: int = 0
    categories_shown: int = 0
    lying: bool = False
    values: Values = field(default_factory=dict)


def draw(table: Table, records: list[Record], choice: Choice, arguments: Namespace) -> Summary:
    """Draw the chart, write its files, and return what was drawn of how many rows."""
    rows = table.rows
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
        note=wording.note(rows, len(records), drawn.categories, drawn.categories_shown),
        legend=choice.group is not None and len(by_group(records)) > 1,
    )
    files = [str(path) for path in canvas.save(arguments.output, arguments.dpi)]
    return {
        **asdict(choice),
        "title": title,
        "rows": rows,
        "rows_drawn": len(records),
        "categories": drawn.categories,
        "categories_shown": drawn.categories_shown,
        "values": drawn.values,
        "notes": [*table.notes, *([NO_GLYPH] if canvas.lacks_glyphs else [])],
        "files": files,
    }


def draw_bars(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: Namespace
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
    values = {
        group: {name: v for name, v in zip(shown, heights, strict=True) if v is not None}
        for group, heights in bars.items()
    }
    return Drawn(len({record.x for record in records}), len(shown), lying, briefly(values))


def draw_boxes(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: Namespace
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
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: Namespace
) -> Drawn:
    lines = points(records, choice.aggregate)
    drawing.draw_lines(canvas.axes, lines)
    values: Values = {
        group: {str(x): y for x, y in zip(xs, ys, strict=True)} for group, (xs, ys) in lines.items()
    }
    return Drawn(values=briefly(values))


def draw_scatter(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: Namespace
) -> Drawn:
    drawing.draw_scatter(canvas.axes, points(records, None))
    return Drawn()


def draw_histogram(
    canvas: drawing.Canvas, records: list[Record], choice: Choice, arguments: Namespace
) -> Drawn:
    values = {group: xs for group, (xs, _) in points(records, None).items()}
    numbers = {group: [x for x in xs if isinstance(x, float)] for group, xs in values.items()}
    drawing.draw_histogram(canvas.axes, numbers, arguments.bins)
    return Drawn()


Draw = Callable[[drawing.Canvas, list[Record], Choice, Namespace], Drawn]
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
