"""A plot: columns by day, stacked by kind, with the same as a table for who cannot see it.

It is as wide as its place: columns are drawn in one unit each and stretched, texts are not. Their
colours are those of the classes ``series-1`` to ``series-8``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.web.drawing.axis import bounded, places, ticks
from api.web.drawing.svg import cut, element, number, picture

MAX_COLUMNS = 100
MAX_SERIES = 8
OTHERS = "others"
MAX_LABEL_CHARACTERS = 12
HEIGHT = 200
# Above and below are the topmost label, and those of the columns.
_ABOVE = 12
_BELOW = 24
_BAR = 0.8
_NUMBER_HEAD: Mapping[str, str] = {"scope": "col", "class_": "number"}


@dataclass(frozen=True, slots=True)
class Column:
    """``parts`` are its values by the name of their kind."""

    label: str
    parts: Mapping[str, float]


Say = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class _Stacks:
    """What is drawn: of each column the values of ``names``, in their order."""

    title: str
    of: str
    say: Say
    names: Sequence[str]
    labels: Sequence[str]
    values: Sequence[Sequence[float]]

    @property
    def totals(self) -> Sequence[float]:
        return [sum(stack) for stack in self.values]


def plot(columns: Sequence[Column], *, title: str, of: str, say: Say = "{:,.0f}".format) -> Markup:
    """A figure of the columns, of which the last ``MAX_COLUMNS`` are shown.

    ``of`` is what they are stacked by, such as ``model``. The kinds with the largest sums have a
    colour each, and the rest one together.
    """
    shown = columns[-MAX_COLUMNS:]
    names = _names(shown)
    labels = [cut(column.label) for column in shown]
    stacks = _Stacks(title, of, say, names, labels, [_stack(column, names) for column in shown])
    legend = _legend(names) if len(names) > 1 else Markup("")
    return element("figure", _picture(stacks) + legend + _table(stacks), class_="plot")


def _names(columns: Sequence[Column]) -> Sequence[str]:
    """Of the largest sum first; what is beyond ``MAX_SERIES`` is the others'."""
    sums: dict[str, float] = {}
    for column in columns:
        for name, value in column.parts.items():
            sums[name] = sums.get(name, 0.0) + bounded(value)
    names = sorted((name for name in sums if sums[name]), key=lambda name: (-sums[name], name))
    if len(names) <= MAX_SERIES:
        return names
    return [*[name for name in names if name != OTHERS][: MAX_SERIES - 1], OTHERS]


def _stack(column: Column, names: Sequence[str]) -> Sequence[float]:
    values = dict.fromkeys(names, 0.0)
    for name, value in column.parts.items():
        key = name if name in values else OTHERS
        if key in values:
            values[key] += bounded(value)
    return tuple(values.values())


def _picture(stacks: _Stacks) -> Markup:
    most = max(stacks.totals, default=0.0)
    scale = ticks(most)
    content = _scale(scale, stacks.say) + _columns(stacks, scale[-1] or 1.0) + _days(stacks.labels)
    name = f"{cut(stacks.title)}: {len(stacks.labels)} columns, at most {stacks.say(most)}"
    height = HEIGHT + _ABOVE + _BELOW
    return picture(
        name, content, class_="plot-picture", overflow="visible", width="100%", height=height
    )


def _scale(scale: Sequence[float], say: Say) -> Markup:
    lines = Markup("")
    for value in scale:
        y = _ABOVE + HEIGHT * (1 - value / (scale[-1] or 1.0))
        lines += element("line", class_="plot-line", x1=0, x2="100%", y1=y, y2=y)
        lines += _label(say(value), x=-8, y=y + 4, anchor="end")
    return lines


def _days(labels: Sequence[str]) -> Markup:
    last = len(labels) - 1
    parts = Markup("")
    for place in places(len(labels)):
        share, anchor = (place + 0.5) / (last + 1), "middle"
        if last and place in {0, last}:
            share, anchor = (1.0, "end") if place else (0.0, "start")
        parts += _label(
            labels[place], x=f"{number(share * 100)}%", y=_ABOVE + HEIGHT + 18, anchor=anchor
        )
    return parts


def _label(text: str, *, x: float | str, y: float, anchor: str) -> Markup:
    shown = cut(text, MAX_LABEL_CHARACTERS)
    return element("text", shown, class_="plot-label", x=x, y=y, text_anchor=anchor)


def _columns(stacks: _Stacks, top: float) -> Markup:
    content = Markup("").join(
        element("path", class_=f"series-{index + 1}", d=_shape(stacks.values, index, top))
        for index in range(len(stacks.names))
    )
    for place, (label, total) in enumerate(zip(stacks.labels, stacks.totals, strict=True)):
        said = element("title", f"{label}: {stacks.say(total)}")
        content += element("rect", said, class_="plot-column", x=place, width=1, height=HEIGHT)
    box = f"0 0 {max(len(stacks.labels), 1)} {HEIGHT}"
    size = {"width": "100%", "viewBox": box, "preserveAspectRatio": "none"}
    return element("svg", content, y=_ABOVE, height=HEIGHT, **size)


def _shape(values: Sequence[Sequence[float]], index: int, top: float) -> str:
    """The pieces of one kind in all columns, as one path."""
    pieces = []
    for place, stack in enumerate(values):
        if not stack[index]:
            continue
        below = sum(stack[:index])
        low, high = (HEIGHT * (1 - value / top) for value in (below, below + stack[index]))
        left, right = place + (1 - _BAR) / 2, place + (1 + _BAR) / 2
        x1, x2, y1, y2 = (number(each) for each in (left, right, low, high))
        pieces.append(f"M{x1} {y1}H{x2}V{y2}H{x1}Z")
    return "".join(pieces)


def _legend(names: Sequence[str]) -> Markup:
    items = Markup("")
    for index, name in enumerate(names):
        box = element("rect", class_=f"series-{index + 1}", width=10, height=10, rx=2)
        sign = element("svg", box, width=10, height=10, aria_hidden="true")
        items += element("li", sign + element("bdi", cut(name)))
    return element("ul", items, class_="plot-legend")


def _table(stacks: _Stacks) -> Markup:
    """The latest first, without the columns that are empty."""
    is_single = len(stacks.names) == 1
    names = stacks.names if is_single else [*stacks.names, "all"]
    heads = [element("th", element("bdi", cut(name)), **_NUMBER_HEAD) for name in names]
    rows = Markup("")
    for label, stack in zip(reversed(stacks.labels), reversed(stacks.values), strict=True):
        values = stack if is_single else [*stack, sum(stack)]
        cells = [element("td", stacks.say(value), class_="number") for value in values]
        if any(stack):
            rows += element("tr", element("th", label, scope="row") + _joined(cells))
    caption = f"{cut(stacks.title)}, by day and {cut(stacks.of)}"
    head = element("tr", element("th", "day", scope="col") + _joined(heads))
    table = element("caption", caption, class_="visually-hidden")
    table += element("thead", head) + element("tbody", rows)
    place = {"class_": "scroll", "role": "group", "aria_label": caption, "tabindex": "0"}
    scroll = element("div", element("table", table), **place)
    return element("details", element("summary", "As a table") + scroll, class_="plot-table")


def _joined(parts: Sequence[Markup]) -> Markup:
    return Markup("").join(parts)
