"""What cleaning is asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    strip: bool
    missing: frozenset[str]
    missing_as: str
    drop_empty: bool
    dedupe: bool
    normalise_headers: bool
    ragged: str
    skip_lines: int
    decimal: str
    dates: str

    @property
    def rewrites(self) -> bool:
        """Whether values may be written in another way, which takes all of a column to judge."""
        return (self.decimal, self.dates) != ("keep", "keep")
