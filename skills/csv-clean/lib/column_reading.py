"""How the values of one column are written, judged by all of them, and how to read them.

A column is read in another way than as it stands only if its values leave no doubt; doubt is said.
Skills that look at values carry this same module, because a skill's folder stands alone.
"""

import argparse
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args

from written_dates import Order, read_date
from written_numbers import PER_MILLE, PLAIN, Decimal, WrittenNumber, read_number

MOSTLY = 0.9
MANY = 10  # below so many values one odd value is too much
CACHED_CELLS = 1 << 16
EXAMPLE_CHARS = 40
DECIMALS = ("auto", *get_args(Decimal))
ORDERS = ("auto", *get_args(Order))
ISO = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ].+)?)?")

# What spreadsheets run when they open the file.
FORMULA = r"^(?:[=@][^\s=]|[+-][A-Za-z(=@])"

Kind = Literal[
    "whole", "point", "comma", "point?", "comma?", "code",
    "iso", "date", "day-first", "month-first", "either", "no day", "other",
]  # fmt: skip
NUMBERS: tuple[Kind, ...] = ("whole", "point", "comma", "point?", "comma?")
DATES: tuple[Kind, ...] = ("date", "day-first", "month-first", "either")


@dataclass(frozen=True)
class Wish:
    """What the user has said of the file: how decimals and dates are written."""

    decimal: str = "auto"
    dates: str = "auto"


@dataclass(frozen=True)
class Reading:
    """``plain`` gives a value as programs write it, or unchanged where it cannot be read so.

    ``note`` says what was found, or what is in doubt; without ``plain`` the column stays as it is.
    """

    plain: Callable[[str], str] | None = None
    note: str | None = None
    of_dates: bool = False
    way: str = ""  # the decimal sign, or the order of dates, that ``plain`` goes by


AS_IT_IS = Reading()


@dataclass(frozen=True)
class Look:
    """What one value looks like; ``styled``: it is a number that no program would take for one."""

    kind: Kind
    styled: bool = False
    currency: str = ""
    is_percent: bool = False


@lru_cache(maxsize=CACHED_CELLS)
def look_at(cell: str) -> Look:
    if not any(map(str.isdigit, cell)):
        return Look("other")
    if number := read_number(cell):
        styled = PLAIN.fullmatch(cell) is None
        return Look(kind_of_number(number), styled, number.currency, number.is_percent)
    if ISO.fullmatch(cell):
        return Look("iso")
    if written := read_date(cell):
        if not written.by_order:
            return Look("no day")
        return Look(written.only or ("either" if written.is_ambiguous else "date"))
    return Look("other")


def kind_of_number(number: WrittenNumber) -> Kind:
    if number.is_code:
        return "code"
    if number.is_ambiguous:
        return "comma?" if "," in number.body else "point?"
    if len(number.decimals) > 1:
        return "whole"
    return "comma" if "comma" in number.decimals else "point"


@dataclass
class Evidence:
    """The looks of a column's values, counted."""

    present: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, str] = field(default_factory=dict)
    styled: int = 0
    styled_example: str = ""
    currencies: Counter[str] = field(default_factory=Counter)
    percents: int = 0
    formulas: int = 0
    formula_example: str = ""

    def add(self, cell: str, times: int = 1) -> None:
        look = look_at(cell)
        self.count(look, cell, times)
        if look.kind == "other":
            self.look_for_formula(cell, times)

    def look_for_formula(self, cell: str, times: int) -> None:
        if cell[0] in "=@+-" and re.search(FORMULA, cell):
            self.add_formulas(cell, times)

    def add_formulas(self, example: str, times: int) -> None:
        self.formulas += times
        self.formula_example = self.formula_example or example[:EXAMPLE_CHARS]

    def count(self, look: Look, example: str, times: int) -> None:
        """Add values that look like that, of which the example is the first."""
        self.present += times
        self.kinds[look.kind] += times
        self.examples.setdefault(look.kind, example[:EXAMPLE_CHARS])
        if look.styled:
            self.styled += times
            self.styled_example = self.styled_example or example[:EXAMPLE_CHARS]
        if look.currency:
            self.currencies[look.currency] += times
        self.percents += times * look.is_percent

    def is_new(self, look: Look) -> bool:
        """Whether the example of such values would be kept."""
        return (
            look.kind not in self.examples
            or (look.styled and not self.styled_example)
            or (look.currency != "" and look.currency not in self.currencies)
        )

    def reading(self, name: str, wish: Wish) -> Reading:
        """How to read the column of this name, by all that has been added."""
        numbers = sum(self.kinds[kind] for kind in NUMBERS)
        if self._is_enough(numbers) and not self.kinds["code"]:
            return self._number_reading(name, wish)
        dates = sum(self.kinds[kind] for kind in DATES)
        shaped = dates + self.kinds["no day"] + self.kinds["iso"]
        if dates and (
            self._is_enough(dates + self.kinds["iso"]) or shaped == self.present <= 2 * dates
        ):
            return self._date_reading(name, wish)
        return AS_IT_IS

    def _is_enough(self, count: int) -> bool:
        return 0 < count == self.present or (
            self.present >= MANY and count >= MOSTLY * self.present
        )

    def _number_reading(self, name: str, wish: Wish) -> Reading:
        commas = self.kinds["comma"]
        decimal: Decimal = "comma" if commas else "point"
        if wish.decimal == "auto":
            if doubt := self._decimal_doubt():
                return stays(name, doubt, "--decimal comma or --decimal point")
        else:
            decimal = "comma" if wish.decimal == "comma" else "point"
        if not self.styled and decimal == "point":
            return AS_IT_IS
        if doubt := self._unit_doubt():
            return stays(name, doubt)

        @lru_cache(maxsize=CACHED_CELLS)
        def plain(cell: str) -> str:
            number = read_number(cell)
            return (number.plain(decimal) if number else None) or cell

        return Reading(plain, self._number_note(name, decimal, plain), way=decimal)

    def _decimal_doubt(self) -> str | None:
        """Why nobody can tell decimals from thousands here."""
        shown = self.examples
        if self.kinds["comma"] and self.kinds["point"]:
            return f"has decimal commas ({shown['comma']}) and decimal points ({shown['point']})"
        if not self.kinds["comma"] and not self.kinds["point"]:
            for kind in ("comma?", "point?"):
                if self.kinds[kind]:
                    return f"has values such as {shown[kind]}: decimals, or thousands"
        return None

    def _unit_doubt(self) -> str | None:
        """Why the signs beside the numbers cannot be left away."""
        if 0 < self.currencies[PER_MILLE] < self.percents:
            return "has per mille and percentages"
        if len(self.currencies) > 1:
            return f"has several currencies ({', '.join(self.currencies)})"
        if 0 < self.percents < sum(self.kinds[kind] for kind in NUMBERS):
            return "has percentages and other numbers"
        return None

    def _number_note(self, name: str, decimal: Decimal, plain: Callable[[str], str]) -> str:
        example = self.examples.get("comma") if decimal == "comma" else None
        example = (
            example
            or self.styled_example
            or next(
                (self.examples[k] for k in ("point?", "comma?", "whole") if k in self.examples), ""
            )
        )
        parts = [
            f"decimal {decimal}s" if self.kinds.total() > self.kinds["whole"] else "whole numbers"
        ]
        parts += [f"in {currency}" for currency in self.currencies]
        parts += ["in percent"] if self.percents > self.currencies[PER_MILLE] else []
        return f"{name} has {', '.join(parts)}: {example} is {plain(example)}." + self._rest_note(
            plain
        )

    def _rest_note(self, plain: Callable[[str], str]) -> str:
        odd = (
            self.kinds["other"] + self.kinds["no day"] + sum(self.kinds[k] for k in (*DATES, "iso"))
        )
        return f" {odd} of {self.present} values are no numbers and stay." if odd else ""

    def _date_reading(self, name: str, wish: Wish) -> Reading:
        days, months = self.kinds["day-first"], self.kinds["month-first"]
        if wish.dates != "auto":
            order: Order = "day-first" if wish.dates == "day-first" else "month-first"
        elif days and months:
            return stays(
                name,
                f"has dates with the day first ({self.examples['day-first']}) and with the month "
                f"first ({self.examples['month-first']})",
                "--dates day-first or --dates month-first",
            )
        elif self.kinds["either"] and not days and not months:
            return stays(
                name,
                f"has dates such as {self.examples['either']}, whose day may be first or second",
                "--dates day-first or --dates month-first",
            )
        else:
            order = "month-first" if months else "day-first"

        @lru_cache(maxsize=CACHED_CELLS)
        def plain(cell: str) -> str:
            written = read_date(cell)
            return (written.by_order.get(order) if written else None) or cell

        return Reading(plain, self._date_note(name, order, plain), of_dates=True, way=order)

    def _date_note(self, name: str, order: Order, plain: Callable[[str], str]) -> str:
        shown: Kind = next(k for k in (order, "either", *DATES) if k in self.examples)
        how = f"{order} dates" if self.kinds[order] + self.kinds["either"] else "dates"
        odd = self.present - sum(self.kinds[kind] for kind in (*DATES, "iso"))
        rest = f" {odd} of {self.present} values are no dates and stay." if odd else ""
        return f"{name} has {how}: {self.examples[shown]} is {plain(self.examples[shown])}.{rest}"


def stays(name: str, doubt: str, option: str = "") -> Reading:
    remedy = f" Say how to read it with {option}." if option else ""
    return Reading(None, f"{name} {doubt}. Its values stay as they are.{remedy}")


def add_reading_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    keep = ("keep",) if default == "keep" else ()
    parser.add_argument(
        "--decimal",
        choices=(*keep, *DECIMALS),
        default=default,
        help="how decimals are written (default: %(default)s)",
    )
    parser.add_argument(
        "--dates",
        choices=(*keep, *ORDERS),
        default=default,
        help="what comes first in dates such as 01/02/2024 (default: %(default)s)",
    )
