"""What happened within a task as a waterfall: a row for each step, turn, call and node.

A row is a line of text and a small picture that is as wide as there is room for: its places are
percents of the width. So names stay text, and rows can be replaced one by one as a task goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from markupsafe import Markup

from api.web.drawing.time_scale import Tick, TimeScale
from api.web.drawing.words import cut, link_to, plain, seconds_between
from api.web.filters import colour_of, duration
from api.wire.responses.history import Span
from workflows.open_values import Unknown
from workflows.states import Status

# Of more rows the last ones are drawn.
MAX_ROWS = 500
# Of the bars of a row as well.
MAX_BARS = 100
ROW_HEIGHT = 20
_MAX_SAID = 10
_NAME_COLUMNS = 120
_AT_WORK = frozenset({Status.RUNNING, *(status for status in Status if status.is_final)})
# These are bars in the row of what they belong to, and have none of their own.
_ENDED_BADLY = (Status.FAILED, Status.BLOCKED)
_BARS = frozenset({"attempt", "llm"})


@dataclass(frozen=True, slots=True)
class Row:
    """``key`` is how ``?step=`` names it: the name of a step, call, turn or node, or ``NODE/NAME``.
    ``inner`` is how many rows a node, or a step with items, has that are not drawn, as it is not
    selected."""

    key: str
    name: str
    kind: str
    depth: int
    status: Status | Unknown
    took: str
    note: str
    link: str
    is_selected: bool
    task_id: UUID | None
    inner: int
    bars: Markup


@dataclass(frozen=True, slots=True)
class Timeline:
    """``earlier`` is how many rows at the beginning are left out."""

    rows: Sequence[Row]
    axis: Markup
    grid: Markup
    earlier: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Placed:
    """A span that has a row: where, under which key, and how many below it have none."""

    span: Span
    key: str
    depth: int
    inner: int = 0


def timeline(root: Span, now: datetime, selected: str | None = None) -> Timeline:
    """The picture of a trace as it is ``now``. Of the row that is ``selected`` the key is given;
    what happened within a node is drawn if it, or something in it, is."""
    clock = _Clock(root, now)
    placed = list(_placed(root, selected))
    rows = [clock.row(each, selected) for each in placed[-MAX_ROWS:]]
    return Timeline(
        rows, clock.axis(), clock.grid(), max(0, len(placed) - MAX_ROWS), is_cut=root.is_cut
    )


def find_span(root: Span, key: str) -> Span | None:
    """The span of a row, whether that is drawn or not."""
    return next((each.span for each in _placed(root, key) if each.key == key), None)


def _placed(parent: Span, selected: str | None, at: str = "", depth: int = 0) -> Iterator[_Placed]:
    for child in parent.children:
        if child.kind in _BARS:
            continue
        key = f"{at}{child.name}"
        if items := _items_of(child):
            is_open = selected is not None and selected.removeprefix(at) in _names(child, items)
            yield _Placed(child, key, depth, 0 if is_open else len(items))
            yield from (_Placed(i, f"{at}{i.name}", depth + 1) for i in items if is_open)
            continue
        if child.kind != "node":
            yield _Placed(child, key, depth)
            yield from _placed(child, selected, at, depth + 1)
            continue
        inner = list(_placed(child, selected, f"{key}/", depth + 1))
        is_open = selected is not None and (selected == key or selected.startswith(f"{key}/"))
        yield _Placed(child, key, depth, 0 if is_open else len(inner))
        yield from inner if is_open else ()


def _items_of(span: Span) -> Sequence[Span]:
    return [child for child in span.children if child.kind == "item"]


def _names(step: Span, items: Sequence[Span]) -> frozenset[str]:
    return frozenset([step.name, *(item.name for item in items)])


class _Clock:
    """Where the moments of a trace stand."""

    def __init__(self, root: Span, now: datetime) -> None:
        self._now = now
        self._origin = root.start or now
        self._is_over = root.end is not None
        leaves = list(_leaves(root))
        busy = [(self._seconds(leaf.start), self._end(leaf)) for leaf in leaves]
        whole = self._seconds(root.end)
        self._scale = TimeScale(busy, max([whole, *(end for _, end in busy)]))

    def row(self, placed: _Placed, selected: str | None) -> Row:
        span = placed.span
        return Row(
            key=placed.key,
            name=cut(span.name, _NAME_COLUMNS),
            kind=span.kind,
            depth=placed.depth,
            status=span.status,
            took=self._took(span) if span.start else "",
            note=_note(span),
            link=link_to(placed.key),
            is_selected=placed.key == selected,
            task_id=span.task_id,
            inner=placed.inner,
            bars=self._bars(span),
        )

    def axis(self) -> Markup:
        """The times, and how long each fold is."""
        ticks: Sequence[Tick] = self._scale.ticks()
        texts = [
            Markup('<text class="tick" x="{}" y="14">{}</text>').format(
                _percent(tick.percent), tick.label
            )
            for tick in ticks
        ]
        folds = [
            Markup('<text class="fold-length" x="{}" y="28" text-anchor="middle">{}</text>').format(
                _percent((fold.left + fold.right) / 2), duration(fold.end - fold.start)
            )
            for fold in self._scale.folds
        ]
        title = "Time since the task was submitted"
        if folds:
            title += f"; {len(folds)} stretches in which nothing ran are folded"
        return _picture("timeline-axis", 32, title, Markup("").join([*texts, *folds]))

    def grid(self) -> Markup:
        """The lines behind all rows: round times, folds, and the present."""
        drawn = [_line("grid-line", tick.percent) for tick in self._scale.ticks()]
        drawn += [
            Markup('<rect class="fold" x="{}" y="0" width="{}" height="100%"/>').format(
                _percent(fold.left), _percent(fold.right - fold.left)
            )
            for fold in self._scale.folds
        ]
        if not self._is_over:
            drawn.append(_line("now", self._scale.at(self._seconds(self._now))))
        return Markup(
            '<svg class="timeline-grid" width="100%" height="100%" aria-hidden="true">{}</svg>'
        ).format(Markup("").join(drawn))

    def _bars(self, span: Span) -> Markup:
        bars = _bars_of(span)[-MAX_BARS:]
        drawn = [self._whole(span), *map(self._bar, bars)]
        return _picture("bars", ROW_HEIGHT, self._said(span, bars), Markup("").join(drawn))

    def _whole(self, span: Span) -> Markup:
        """From its beginning to its end, with the pauses between the attempts."""
        if span.start is None:
            return Markup("")
        left, right = self._places(span)
        return Markup('<rect class="whole" x="{}" width="{}"/>').format(
            _percent(left), _percent(right - left)
        )

    def _bar(self, bar: Span) -> Markup:
        left, right = self._places(bar)
        kind = f" {bar.kind}" if bar.kind in _BARS else " part"
        return Markup('<rect class="bar{} {}" x="{}" width="{}"/>').format(
            kind, colour_of(bar.status), _percent(left), _percent(right - left)
        )

    def _said(self, span: Span, bars: Sequence[Span]) -> str:
        if span.start is None:
            return "not begun"
        if len(bars) < 2:
            return f"{span.status.value}, {self._took(span)}"
        kind = "attempts" if bars[0].kind == "attempt" else "parts"
        ends = ", ".join(bar.status.value for bar in bars[-_MAX_SAID:])
        return f"{len(bars)} {kind}: {'... ' if len(bars) > _MAX_SAID else ''}{ends}"

    def _took(self, span: Span) -> str:
        if span.start is None:
            return ""
        return duration(seconds_between(span.start, span.end or self._now))

    def _places(self, span: Span) -> tuple[float, float]:
        left = self._scale.at(self._seconds(span.start))
        return left, max(left, self._scale.at(self._end(span)))

    def _end(self, span: Span) -> float:
        return max(self._seconds(span.start), self._seconds(span.end))

    def _seconds(self, moment: datetime | None) -> float:
        return seconds_between(self._origin, moment or self._now)


def _leaves(span: Span) -> Iterator[Span]:
    """Where something was at work: what waits for a person, or in a queue, is not."""
    if span.children:
        for child in span.children:
            yield from _leaves(child)
    elif span.start is not None and span.kind != "task" and span.status in _AT_WORK:
        yield span


def _bars_of(span: Span) -> Sequence[Span]:
    """The attempts of a step; what a model said in a turn; all that was at work within a node."""
    if span.kind == "node" or _items_of(span):
        return [*_leaves(span)]
    own = [child for child in span.children if child.kind in _BARS and child.start is not None]
    return own or ([span] if span.start is not None and not span.children else [])


def _note(span: Span) -> str:
    if items := _items_of(span):
        completed = sum(item.status is Status.COMPLETED for item in items)
        failed = sum(item.status in _ENDED_BADLY for item in items)
        return f"{completed}/{len(items)}" + (f", {failed} failed" if failed else "")
    if span.answered_by is not None:
        return f"answered by {cut(span.answered_by, 60)}"
    return "kept result" if span.cached else ""


def _picture(class_: str, height: int, title: str, drawn: Markup) -> Markup:
    return Markup(
        '<svg class="{}" width="100%" height="{}" role="img"><title>{}</title>{}</svg>'
    ).format(class_, height, plain(title), drawn)


def _line(class_: str, percent: float) -> Markup:
    place = _percent(percent)
    return Markup('<line class="{}" x1="{}" x2="{}" y1="0" y2="100%"/>').format(
        class_, place, place
    )


def _percent(value: float) -> str:
    return f"{value:.2f}%"
