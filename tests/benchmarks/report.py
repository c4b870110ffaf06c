"""Figures with their spread, and ratios against a baseline that was measured in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """``most`` or ``least`` is what the ratio must keep to."""

    most: float | None = None
    least: float | None = None

    def holds(self, ratio: float) -> bool:
        return (self.most is None or ratio <= self.most) and (
            self.least is None or ratio >= self.least
        )

    def __str__(self) -> str:
        return f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}"


def spread(values: Sequence[float], digits: int = 1) -> str:
    """``median [least - most]``."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} [{low:.{digits}f} - {high:.{digits}f}]"


def judge(figure: str, *, kept: bool, bound: str) -> bool:
    """Print a figure that has an absolute bound, and whether it keeps to that."""
    console.print(f"{figure}  (bound {bound}: {_verdict(kept)})")
    return kept


def compare(
    title: str,
    *,
    ours: Sequence[float],
    baseline: Sequence[float],
    baseline_name: str,
    unit: str,
    bound: Bound,
    rows: Sequence[tuple[str, str]] = (),
) -> bool:
    """Print a comparison. The ratio is that of the medians; its spread is that of the pairs."""
    ratio = statistics.median(ours) / statistics.median(baseline)
    pairs = [mine / base for mine, base in zip(ours, baseline, strict=False)]
    kept = bound.holds(ratio)
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_row(f"AgentOS ({unit})", spread(ours))
    table.add_row(f"baseline ({unit}): {baseline_name}", spread(baseline))
    for row in rows:
        table.add_row(*row)
    verdict = _verdict(kept)
    table.add_row("ratio of the medians", f"[bold]{ratio:.2f}[/]  (bound {bound}: {verdict})")
    table.add_row("ratio, pair by pair", spread(pairs, 2))
    console.print(table)
    return kept


def _verdict(kept: bool) -> str:
    return "[green]kept[/]" if kept else "[red]NOT KEPT[/]"
