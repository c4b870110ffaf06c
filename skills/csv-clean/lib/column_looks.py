"""How the values of a column look, told for many at once: the same as value by value, only faster.

Skills that read large files carry this same module, because a skill's folder stands alone.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import polars
from calendar_names import month_of
from column_reading import FORMULA, Evidence, Look, look_at
from polars import DataFrame, Series, col
from written_forms import CLOCK, HALF_CLOCK, OTHER, PERHAPS_NUMBER, Form, form_of

FEW_VALUES = 500  # are looked at one by one
TRIED_VALUES = 64  # examples from which forms are made at a time
ROUNDS = 3
MOST_FORMS = 40
# Which time of day it is matters to no look, only whether it is one.
TIME_AT_END = rf"([ T,]) ?(?:{CLOCK}|{HALF_CLOCK})$"
FIRST_WORD = r"^([^\s\x{1c}-\x{1f}0-9.\-/,]+)"

Seen = tuple[Look, str, int]  # a look, the first value that has it, and how many have


@dataclass
class Forms:
    """The forms that a column's values have had, the commonest first."""

    known: list[Form] = field(default_factory=list)

    def learn(self, values: Series) -> list[Form]:
        """Forms of the first of these values that are not known yet."""
        room = MOST_FORMS - len(self.known)
        made = (form_of(value) for value in values.head(TRIED_VALUES))
        new = [form for form in dict.fromkeys(made) if form and form not in self.known][:room]
        self.known += new
        return new


def add_looks(evidence: Evidence, values: Series, forms: Forms) -> None:
    """Add values that are there, without spaces around them, to the evidence of their column."""
    known, new = [], []
    for item in looks_of(values, forms, evidence):
        (new if evidence.is_new(item[0]) else known).append(item)
    if len(new) > 1:
        # What is told of a column names the first of its values in the order of the file.
        firsts = Series([example for _, example, _ in new], dtype=polars.String)
        order = values.filter(values.is_in(firsts.implode())).unique(maintain_order=True)
        places = {value: place for place, value in enumerate(order)}
        new.sort(key=lambda item: places[item[1]])
    for item in (*new, *known):
        evidence.count(*item)


def looks_of(values: Series, forms: Forms, evidence: Evidence) -> Iterator[Seen]:
    tried = [*forms.known]
    for attempt in range(ROUNDS + 1):
        for form in tried:
            if not len(values):
                return
            is_so = values.to_frame("").select(form.matches(col(""))).to_series()
            times = is_so.sum()
            if times:
                found = values if times == len(values) else values.filter(is_so)
                values = values.clear() if times == len(values) else values.filter(~is_so)
                if form is OTHER:
                    look_for_formulas(found, evidence)
                yield form.look, found[0], times
        if not len(values) or attempt == ROUNDS:
            break
        tried = forms.learn(values.unique(maintain_order=True))
        if not tried:
            break
    for look, value, times in looks_one_by_one(values):
        if look.kind == "other":
            evidence.look_for_formula(value, times)
        yield look, value, times


def look_for_formulas(values: Series, evidence: Evidence) -> None:
    formulas = values.filter(values.str.contains(FORMULA))
    if len(formulas):
        evidence.add_formulas(formulas[0], len(formulas))


def looks_one_by_one(values: Series) -> Iterator[Seen]:
    counted = values.to_frame("value").group_by("value", maintain_order=True).len("times")
    if len(counted) > FEW_VALUES:
        counted = (
            counted.with_columns(col("value").str.replace(TIME_AT_END, "${1}10:00").alias("same"))
            .group_by("same", maintain_order=True)
            .agg(col("value").first(), col("times").sum())
            .select("value", "times")
        )
        counted = yield from without_names(counted)
    for value, times in counted.iter_rows():
        yield look_at(value), value, times


def without_names(counted: DataFrame) -> Generator[Seen, None, DataFrame]:
    """Tell those that begin with a word that is no month, and return the others."""
    word = counted["value"].str.extract(FIRST_WORD)
    no_months = [name for name in word.unique().drop_nulls() if month_of(name) is None]
    is_name = word.is_in(Series(no_months, dtype=polars.String).implode()).fill_null(value=False)
    is_name = is_name & ~counted["value"].str.contains(PERHAPS_NUMBER)
    names = counted.filter(is_name)
    if len(names):
        yield OTHER.look, names["value"][0], names["times"].sum()
    return counted.filter(~is_name)
