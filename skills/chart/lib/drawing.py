"""Drawing with matplotlib: one function a kind of chart, and the looks they share."""

import atexit
import math
import os
import shutil
import tempfile
import textwrap
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

# Before matplotlib is imported: it writes a font cache, and the home may be read-only.
if "MPLCONFIGDIR" not in os.environ:
    os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="matplotlib-")
    atexit.register(shutil.rmtree, os.environ["MPLCONFIGDIR"], ignore_errors=True)

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import dates, font_manager, ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from series import OTHER, Points

# Okabe and Ito's colours, told apart by colour-blind people too; grey is for "Other".
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#4D4D4D")
GREY = "#A0A0A0"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, FAINT, GRID = "#222222", "#666666", "#E6E6E6"

HEIGHT_INCHES = 5.0
BAR_INCHES = 0.26
LONG_LABEL_CHARS = 14
WRAP_CHARS = 24
UPRIGHT_CATEGORIES = 10
LABELLED_BARS = 24
MARKED_POINTS = 40
DENSE_POINTS = 5_000
STEPS = (1, 2, 5, 10)

# The first comes with matplotlib, so a chart looks alike everywhere; the others fill its gaps.
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Noto Sans Arabic",
         "Noto Sans Devanagari", "Noto Sans Thai", "Droid Sans Fallback", "WenQuanYi Zen Hei",
         "Unifont")  # fmt: skip

LOOKS: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in the data is a dollar
    "axes.edgecolor": "#BBBBBB",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "xtick.color": "#BBBBBB",
    "ytick.color": "#BBBBBB",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "chart",  # the same data must give the same bytes
}


class Canvas:
    """One chart: draw on ``axes``, then ``finish`` and ``save``."""

    def __init__(self, width_inches: float, height_inches: float | None) -> None:
        installed = {font.name for font in font_manager.fontManager.ttflist}
        mpl.rcParams.update(LOOKS)
        mpl.rcParams["font.family"] = [name for name in FONTS if name in installed]
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
        self.figure = Figure(figsize=(width_inches, height_inches or HEIGHT_INCHES), layout=layout)
        self.axes: Axes = self.figure.add_subplot()
        self.lacks_glyphs = False
        self._grows = height_inches is None

    def make_room(self, bars: int) -> None:
        """Grow for bars that lie, unless the height was asked for."""
        if self._grows:
            self.figure.set_figheight(max(HEIGHT_INCHES, BAR_INCHES * bars + 1.6))

    def finish(self, title: str, x_label: str, y_label: str, *, note: str, legend: bool) -> None:
        wrapped = "\n".join(textwrap.wrap(title, 64))
        self.figure.suptitle(wrapped, x=0.015, ha="left", fontsize=14, fontweight="bold")
        self.axes.set_xlabel(x_label, labelpad=8)
        self.axes.set_ylabel(y_label, labelpad=8)
        if legend:
            handles, labels = self.axes.get_legend_handles_labels()
            self.axes.legend(
                handles,
                [shorten(label) for label in labels],
                loc="lower left",
                bbox_to_anchor=(0, 1.0),
                borderaxespad=0.3,
                borderpad=0.2,
                ncols=min(len(labels), 4),
                handlelength=1.2,
                columnspacing=1.4,
            )
        self.figure.supxlabel(note, x=0.985, ha="right", fontsize=8.5, color=FAINT)

    def save(self, prefix: Path, dpi: int) -> list[Path]:
        png = prefix.with_name(f"{prefix.name}.png")
        svg = prefix.with_name(f"{prefix.name}.svg")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            self.figure.savefig(png, dpi=dpi, metadata={"Software": None})
            self.figure.savefig(svg, metadata={"Date": None})
        self.lacks_glyphs = any("Glyph" in str(warning.message) for warning in warned)
        return [png, svg]


def draw_bars(axes: Axes, categories: list[str], bars: dict[str, list[float | None]]) -> bool:
    """Bars side by side for each group. True if they lie, which long names need."""
    lying = lies(categories)
    height = (0.64 if len(bars) == 1 else 0.8) / len(bars)
    for place, (group, values) in enumerate(bars.items()):
        shift = (place - (len(bars) - 1) / 2) * height
        known = [(n + shift, v) for n, v in enumerate(values) if v is not None]
        places, lengths = [p for p, _ in known], [v for _, v in known]
        shade, thick = colour(group, place), height * 0.94
        if lying:
            drawn = axes.barh(places, lengths, height=thick, color=shade, label=group)
        else:
            drawn = axes.bar(places, lengths, width=thick, color=shade, label=group)
        if len(bars) * len(categories) <= LABELLED_BARS:
            labels = [figure(value) for value in lengths]
            axes.bar_label(drawn, labels, padding=3, fontsize=9, color=FAINT)
    if all(float(v).is_integer() for heights in bars.values() for v in heights if v is not None):
        axis = axes.xaxis if lying else axes.yaxis
        axis.set_major_locator(ticker.MaxNLocator(integer=True, steps=STEPS))
    axes.margins(x=0.1 if lying else None, y=None if lying else 0.1)
    name_categories(axes, categories, lying=lying)
    plain_numbers(axes.xaxis if lying else axes.yaxis)
    return lying


def draw_boxes(axes: Axes, categories: list[str], boxes: dict[str, list[list[float]]]) -> bool:
    """Median, quartiles, 1.5 interquartile ranges and the values beyond. True if they lie."""
    named = [
        f"{shorten(name)}\nn = {sum(len(values[place]) for values in boxes.values()):,}"
        for place, name in enumerate(categories)
    ]
    lying = lies(categories)
    height = (0.5 if len(boxes) == 1 else 0.7) / len(boxes)
    for place, (group, values) in enumerate(boxes.items()):
        shift = (place - (len(boxes) - 1) / 2) * height
        full = [(n + shift, v) for n, v in enumerate(values) if v]
        shade = colour(group, place)
        axes.boxplot(
            [v for _, v in full],
            positions=[p for p, _ in full],
            widths=height * 0.8,
            orientation="horizontal" if lying else "vertical",
            patch_artist=True,
            boxprops={"facecolor": f"{shade}55", "edgecolor": shade, "linewidth": 1.4},
            medianprops={"color": shade, "linewidth": 2.4},
            whiskerprops={"color": shade, "linewidth": 1.4},
            capprops={"color": shade, "linewidth": 1.4},
            flierprops={"marker": "o", "markersize": 3.5, "markeredgecolor": shade, "alpha": 0.7},
            label=group,
        )
    name_categories(axes, named, lying=lying)
    plain_numbers(axes.xaxis if lying else axes.yaxis)
    return lying


def draw_lines(axes: Axes, lines: dict[str, Points]) -> None:
    for place, (group, (xs, ys)) in enumerate(lines.items()):
        marker = MARKERS[place % len(MARKERS)] if len(xs) <= MARKED_POINTS else None
        axes.plot(
            xs,  # type: ignore[arg-type]
            ys,
            color=colour(group, place),
            label=group,
            linewidth=2.0,
            marker=marker,
            markersize=5,
            solid_capstyle="round",
        )
    scale_x(axes, lines)
    plain_numbers(axes.yaxis)


def draw_scatter(axes: Axes, clouds: dict[str, Points]) -> None:
    in_all = sum(len(xs) for xs, _ in clouds.values())
    size, alpha = (34, 0.75) if in_all <= 1_000 else (12, 0.4)
    for place, (group, (xs, ys)) in enumerate(clouds.items()):
        axes.scatter(
            xs,  # type: ignore[arg-type]
            ys,
            s=size,
            alpha=alpha,
            color=colour(group, place),
            marker=MARKERS[place % len(MARKERS)],
            edgecolors="white",
            linewidths=0.4,
            label=group,
            rasterized=in_all > DENSE_POINTS,  # or the SVG has one shape a point
        )
    axes.margins(0.04)
    scale_x(axes, clouds)
    plain_numbers(axes.yaxis)


def draw_histogram(axes: Axes, samples: dict[str, list[float]], bins: int | None) -> None:
    """Equal bins over all groups; twice the cube root of the count (Rice's rule) if not given."""
    everything = [value for values in samples.values() for value in values]
    count = bins or min(60, max(5, math.ceil(2 * len(everything) ** (1 / 3))))
    low, high = min(everything), max(everything)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = [low + (high - low) * n / count for n in range(count + 1)]
    edges[-1] = high
    for place, (group, values) in enumerate(samples.items()):
        shade = colour(group, place)
        alone = len(samples) == 1
        axes.hist(
            values,
            edges,
            histtype="bar" if alone else "stepfilled",
            facecolor=f"{shade}{'C0' if alone else '59'}",
            edgecolor="white" if alone else shade,
            linewidth=1.2,
            label=group,
        )
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=STEPS))
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)


def colour(group: str, place: int) -> str:
    return GREY if group == OTHER else COLOURS[place % len(COLOURS)]


def lies(categories: list[str]) -> bool:
    longest = max(map(len, categories))
    return longest > LONG_LABEL_CHARS or len(categories) > UPRIGHT_CATEGORIES


def name_categories(axes: Axes, names: list[str], *, lying: bool) -> None:
    axis = axes.yaxis if lying else axes.xaxis
    lines = 3 if len(names) <= UPRIGHT_CATEGORIES else 1
    axis.set_ticks(range(len(names)), [shorten(name, lines) for name in names])
    axis.set_tick_params(length=0)
    axes.grid(visible=False, axis="y" if lying else "x")
    if lying:
        axes.invert_yaxis()


def shorten(text: str, lines: int = 3) -> str:
    """A name that fits beside the axis."""
    width = WRAP_CHARS if lines > 1 else 2 * WRAP_CHARS
    wrapped = [part for line in text.splitlines() for part in textwrap.wrap(line, width)]
    return "\n".join(wrapped[:lines]) + ("…" if len(wrapped) > lines else "")


def scale_x(axes: Axes, drawn: dict[str, Points]) -> None:
    places = [x for xs, _ in drawn.values() for x in xs]
    if isinstance(places[0], datetime):
        locator = dates.AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        return
    if all(float(x).is_integer() for x in places if not isinstance(x, datetime)):
        axes.xaxis.set_major_locator(ticker.MaxNLocator(nbins=9, integer=True, steps=STEPS))
    plain_numbers(axes.xaxis)


def plain_numbers(axis: Axis) -> None:
    """12,000 or 1.2M instead of 1.2e4; but 2024 stays 2024, for it may be a year."""
    if 10_000 <= max(map(abs, axis.get_view_interval())) < 1e15:
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: figure(value)))


def figure(value: float) -> str:
    for size, letter in ((1e15, ""), (1e9, " bn"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}" if letter else f"{value:.3g}"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:,.3g}"
