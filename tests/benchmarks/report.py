"""Figures with their spread, and how they stand to their bounds."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks.judgement import CONFIDENCE, Bound, Judgement, Pair, Verdict

console = Console(highlight=False)

_COLOURS = {Verdict.KEPT: "green", Verdict.UNDECIDED: "yellow", Verdict.NOT_KEPT: "red"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table at the end, which says what a step costs."""

    name: str
    judgement: Judgement
    bound: Bound
    unit: str

    @classmethod
    def of(cls, name: str, values: Sequence[float], bound: Bound, unit: str = "x") -> "Figure":
        return cls(name, Judgement.of(values, bound), bound, unit)


def show_figures(figures: Sequence[Figure]) -> None:
    """Print them with their bounds, in one table."""
    table = Table(title="What a step costs", title_justify="left", title_style="bold")
    for column in ("", "median", "95% interval", "bound", ""):
        table.add_column(column)
    for figure in figures:
        judgement, unit = figure.judgement, figure.unit
        low, high = judgement.interval.low, judgement.interval.high
        table.add_row(
            figure.name,
            f"{judgement.median:.2f} {unit}",
            f"{low:.2f} to {high:.2f}",
            str(figure.bound),
            _coloured(judgement.verdict),
        )
    console.print(table)


def spread(values: Sequence[float], digits: int = 1) -> str:
    """``median [least - most]``."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} [{low:.{digits}f} - {high:.{digits}f}]"


def judge(figure: str, *, kept: bool, bound: str) -> Verdict:
    """Print a figure without noise, and whether it keeps to its bound."""
    verdict = Verdict.of(kept)
    console.print(f"{figure}  (bound {bound}: {_coloured(verdict)})")
    return verdict


def judge_median(figure: str, values: Sequence[float], unit: str, bound: Bound) -> Verdict:
    """Print the median of values that have a bound, and whether it keeps to that."""
    judgement = Judgement.of(values, bound)
    console.print(f"{figure}: {_told(judgement, bound, 'values', digits=1, unit=f' {unit}')}")
    return judgement.verdict


def compare(
    title: str,
    pairs: Sequence[Pair],
    *,
    baseline_name: str,
    unit: str,
    bound: Bound,
    rows: Sequence[tuple[str, str]] = (),
) -> Verdict:
    """Print a comparison with a baseline, and whether the pairs' ratio keeps to its bound."""
    judgement = Judgement.of([pair.ratio for pair in pairs], bound)
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_row(f"AgentOS ({unit})", spread([pair.ours for pair in pairs]))
    table.add_row(f"baseline ({unit}): {baseline_name}", spread([pair.baseline for pair in pairs]))
    for row in rows:
        table.add_row(*row)
    table.add_row("ratio, pair by pair", _told(judgement, bound, "pairs", digits=2))
    console.print(table)
    return judgement.verdict


def show_rounds(title: str, rounds: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Print the parts of several rounds of each side, side by side."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for side in rounds:
        table.add_column(side)
    parts = dict.fromkeys(part for values in rounds.values() for each in values for part in each)
    for part in parts:
        table.add_row(part, *(spread([each[part] for each in own]) for own in rounds.values()))
    console.print(table)


def conclude(verdicts: Mapping[str, Verdict]) -> bool:
    """Print which benchmarks left a bound undecided or broke one; whether none broke one."""
    for verdict in (Verdict.UNDECIDED, Verdict.NOT_KEPT):
        if names := [name for name, own in verdicts.items() if own is verdict]:
            console.print(f"{_coloured(verdict)}: {', '.join(names)}")
    return Verdict.NOT_KEPT not in verdicts.values()


def _told(judgement: Judgement, bound: Bound, counted: str, *, digits: int, unit: str = "") -> str:
    low, high = judgement.interval.low, judgement.interval.high
    return (
        f"[bold]{judgement.median:.{digits}f}[/]{unit}, {CONFIDENCE:.0%} interval "
        f"{low:.{digits}f} to {high:.{digits}f}, {judgement.count} {counted}  "
        f"(bound {bound}: {_coloured(judgement.verdict)})"
    )


def _coloured(verdict: Verdict) -> str:
    text = str(verdict) if verdict is not Verdict.NOT_KEPT else str(verdict).upper()
    return f"[{_COLOURS[verdict]}]{text}[/]"
