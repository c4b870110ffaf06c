"""What is found among many values of a column at once, before their column is told."""

from collections import Counter
from dataclasses import dataclass, field

from columns import EXAMPLES, Column
from polars import Series


@dataclass
class Tally:
    """What has been found among some values of a column: how many of each kind, and examples."""

    column: Column
    times: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, taken: Series) -> None:
        """Add values of one kind."""
        self.times[kind] += len(taken)
        if len(self.column.examples.get(kind, ())) < EXAMPLES:
            self.examples.setdefault(kind, []).extend(first_values(taken))
        lengths = taken.str.len_chars()
        self.column.add_lengths(lengths.min(), lengths.max())

    def add_one(self, value: str, times: int) -> None:
        kind = self.column.measure(value, times)
        self.times[kind] += times
        self.examples.setdefault(kind, []).append(value)

    def close(self, values: Series) -> None:
        """Tell the column, in the order of the file, in which all of the values are."""
        places = {}
        if sum(map(len, self.examples.values())) > 1:
            known = Series([v for kept in self.examples.values() for v in kept]).implode()
            found = values.filter(values.is_in(known)).unique(maintain_order=True)
            places = {value: place for place, value in enumerate(found)}
        for kept in self.examples.values():
            kept.sort(key=lambda value: places.get(value, 0))
        for kind in sorted(
            self.times, key=lambda kind: places.get(self.examples.get(kind, [""])[0], 0)
        ):
            self.column.add_kind(kind, self.examples.get(kind, []), self.times[kind])


def parted(values: Series, pattern: str) -> tuple[Series, Series]:
    """Those that match, and the others."""
    is_so = values.str.contains(pattern)
    times = is_so.sum()
    if times in (0, len(values)):
        return (values, values.clear()) if times else (values.clear(), values)
    return values.filter(is_so), values.filter(~is_so)


def first_values(values: Series) -> list[str]:
    """The first that differ, as many as are kept as examples."""
    for few in (values.head(100), values):
        found = few.unique(maintain_order=True).head(EXAMPLES).to_list()
        if len(found) == EXAMPLES:
            break
    return found
