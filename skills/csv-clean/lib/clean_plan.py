"""What becomes of the columns: their names, which are kept, and how their values are written."""

import re
import unicodedata
from dataclasses import dataclass

from clean_options import Options
from column_reading import AS_IT_IS, Evidence, Reading, Wish
from csv_file import unique_names


@dataclass(frozen=True)
class Plan:
    """``kept`` are numbers of columns; ``written`` says of each column how to write its values."""

    names: list[str]
    kept: list[int]
    renamed: dict[str, str]
    written: list[Reading]
    notes: list[str]

    @property
    def kept_names(self) -> list[str]:
        return [self.names[i] for i in self.kept]

    @property
    def dropped_names(self) -> list[str]:
        return [name for i, name in enumerate(self.names) if i not in self.kept]

    @classmethod
    def of(cls, header: list[str], seen: list[Evidence], options: Options) -> "Plan":
        """By the header and by the looks of all values; without these, as if none mattered."""
        header = header + [""] * (len(seen) - len(header))
        seen = seen + [Evidence() for _ in range(len(header) - len(seen))]
        with_values = {i for i, evidence in enumerate(seen) if evidence.present}
        # Without one value in the table there is nothing to tell an empty column by.
        drops = options.drop_empty and with_values
        kept = [i for i in range(len(header)) if i in with_values or not drops]
        wanted = [snake_case(n) for n in header] if options.normalise_headers else header
        names = unique_names(wanted)
        renamed = {a: b for a, b in zip(header, names, strict=True) if a and a != b}
        return cls(names, kept, renamed, *values_written(names, seen, options))


def values_written(
    names: list[str], seen: list[Evidence], options: Options
) -> tuple[list[Reading], list[str]]:
    """How to write the values of each column, and what to tell of the ways they are written."""
    wish = Wish(*("auto" if said == "keep" else said for said in (options.decimal, options.dates)))
    written: list[Reading] = []
    notes = []
    for name, evidence in zip(names, seen, strict=True):
        reading = evidence.reading(name, wish)
        option = "--dates" if reading.of_dates else "--decimal"
        keeps = (options.dates if reading.of_dates else options.decimal) == "keep"
        written.append(AS_IT_IS if keeps else reading)
        if reading.note:
            left = f" Left as written: {option} auto writes it plainly."
            notes.append(reading.note + (left if keeps and reading.plain else ""))
    return written, notes


def snake_case(name: str) -> str:
    """``Body Mass (g)`` -> ``body_mass_g``, ``studyName`` -> ``study_name``; any script is kept."""
    words = unicodedata.normalize("NFKC", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))
    lowered = unicodedata.normalize("NFKC", words.lower())
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in lowered)
    return "_".join("".join(kept).split())
