"""Drawings the size of a word: how a count went, and how the last runs of something ended."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.web.drawing.svg import cut, element, measure, number, picture, share
from workflows.states import Status

MAX_BARS = 40
HEIGHT = 20
_STEP = 6
_BAR = 4
_LEAST = 2.0
# Above the bars there is room for the mark of a bad end, so that colour is not all that tells.
_MARK = 4.0
_BAD = frozenset({Status.FAILED, Status.BLOCKED})


@dataclass(frozen=True, slots=True)
class Run:
    """How something ended, or stands; ``seconds`` is how long it took, if that is known."""

    status: str
    seconds: float | None = None


def sparkline(values: Sequence[float], *, label: str = "Count") -> Markup:
    """A row of bars, the oldest first; of more than ``MAX_BARS`` the last. Nothing for no values.

    ``label`` says what is counted: it begins the name that a screen reader speaks.
    """
    shown = values[-MAX_BARS:]
    if not shown:
        return Markup("")
    heights = [measure(value) for value in shown]
    most = max(heights)
    bars = Markup("").join(
        _bar(place, share(height, most) * HEIGHT, "spark-bar" if height else "spark-none")
        for place, height in enumerate(heights)
    )
    name = f"{cut(label)}: the last {_shown(shown[-1])}, at most {_shown(most)} of {len(shown)}"
    return _row(len(shown), name, bars)


def runs(items: Sequence[Run], *, label: str = "Last runs") -> Markup:
    """A bar for each run, the oldest first, as high as it took long; those that ended badly have a
    mark above. Nothing for no runs.

    A list has many of them: so all bars of a state are one path, of the class ``state-<status>``.
    """
    shown = items[-MAX_BARS:]
    if not shown:
        return Markup("")
    longest = _longest(shown)
    paths: defaultdict[str, str] = defaultdict(str)
    for place, run in enumerate(shown):
        height = max(round(_height(run, longest) * 2) / 2, _LEAST)
        x, top = place * _STEP, number(HEIGHT - height)
        paths[_class(run.status)] += f"M{x} {top}h{_BAR}V{HEIGHT}h-{_BAR}z"
        if run.status in _BAD:
            paths[_class(run.status)] += f"M{x} {number(HEIGHT - height - _MARK)}h{_BAR}v2h-{_BAR}z"
    bars = Markup("").join(
        element("path", class_=f"state-{status}", d=path) for status, path in paths.items()
    )
    return _row(len(shown), _summary(shown, label), bars)


def _longest(shown: Sequence[Run]) -> float:
    return max(measure(run.seconds or 0) for run in shown)


def _height(run: Run, longest: float) -> float:
    return share(run.seconds or 0, longest) * (HEIGHT - _MARK - 1)


def _summary(shown: Sequence[Run], label: str) -> str:
    counts = ", ".join(
        f"{count} {cut(status, 20)}"
        for status, count in Counter(run.status for run in shown).most_common(6)
    )
    return f"{cut(label)}: {counts}; the latest {_words(shown[-1])}"


def _row(count: int, name: str, bars: Markup) -> Markup:
    width = count * _STEP - (_STEP - _BAR)
    box = f"0 0 {width} {HEIGHT}"
    return picture(name, bars, class_="spark", viewBox=box, width=width, height=HEIGHT)


def _bar(place: int, height: float, class_: str) -> Markup:
    height = max(height, _LEAST)
    return element(
        "rect",
        class_=class_,
        x=place * _STEP,
        y=HEIGHT - height,
        width=_BAR,
        height=height,
        rx=1,
    )


def _words(run: Run) -> str:
    status = cut(run.status, 20)
    return status if run.seconds is None else f"{status}, {_duration(measure(run.seconds))}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:,.0f} h"


def _shown(value: float) -> str:
    return f"{measure(value):,.4g}" if measure(value) < 1_000 else f"{measure(value):,.0f}"


def _class(status: str) -> str:
    """A status is a word of ours; what else comes is no class."""
    return status if status in set(Status) else "unknown"
