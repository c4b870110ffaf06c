"""What is told of a file and of its columns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NumberSummary:
    """``std`` is the sample's; the histogram has equal bins from ``min`` to ``max``."""

    min: float
    max: float
    mean: float | None
    std: float | None
    quantiles: dict[str, float]
    histogram: list[int]
    approximate: bool


@dataclass(frozen=True)
class DateSummary:
    min: str
    max: str


@dataclass(frozen=True)
class TextSummary:
    top: list[tuple[str, int]]
    shortest: int
    longest: int


@dataclass(frozen=True)
class ColumnProfile:
    name: str
    type: str
    missing: int
    present: int
    distinct: int
    distinct_is_at_least: bool
    kinds: dict[str, int]
    summary: NumberSummary | DateSummary | TextSummary | None


@dataclass(frozen=True)
class Profile:
    file: str
    encoding: str
    delimiter: str
    rows: int
    ragged_rows: int
    missing_cells: int
    notes: list[str]
    columns: list[ColumnProfile]
