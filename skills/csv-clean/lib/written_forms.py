"""Forms: patterns that tell how many values at once look, and that write them plainly.

A form is made from one value. All that match its pattern have the look that this value has; what
matches none is looked at by itself, so a form may be narrow but must never be wrong.

Skills that read large files carry this same module, because a skill's folder stands alone.
"""

import re
from dataclasses import dataclass

from column_reading import Kind, Look, look_at
from polars import Expr
from written_dates import TWO_NUMBERS
from written_numbers import BRACKETED, CURRENCY, PLAIN, SPACES, WRITTEN

# All patterns are polars' as well as Python's: no look-around, and what is space is spelt out.
GAP = rf"(?:[{SPACES}]?[ '’{SPACES[1:]}])"
WHOLE = "(?:0|[1-9][0-9]{0,17})"


def decimals(sign: str, group: str) -> tuple[str, ...]:
    """Bodies of numbers with that decimal sign, which have no other reading."""
    groups = rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})"
    return (
        rf"(?:{WHOLE}{sign}(?:[0-9]{{1,2}}|[0-9]{{4,18}})|(?:0|[1-9][0-9]{{3,17}}){sign}[0-9]{{3}})",
        rf"(?:{groups}{{1,5}}{sign}[0-9]{{0,18}}|{groups}{{2,5}})",
        rf"[1-9][0-9]{{0,2}}(?:{GAP}[0-9]{{3}}){{1,5}}{sign}[0-9]{{1,18}}",
    )


BODIES: dict[Kind, tuple[str, ...]] = {
    "whole": (WHOLE, rf"[1-9][0-9]{{0,2}}(?:{GAP}[0-9]{{3}}){{1,5}}"),
    "point": decimals(r"\.", ","),
    "comma": decimals(",", r"\."),
    "point?": (r"[1-9][0-9]{0,2}\.[0-9]{3}",),
    "comma?": (r"[1-9][0-9]{0,2},[0-9]{3}",),
    "code": ("0[0-9]+", "[1-9][0-9]{18,}"),
}
# Those that programs take for numbers; all others, and all with signs beside them, are styled.
BARE = {BODIES["whole"][0], BODIES["point"][0], BODIES["point?"][0]}

CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
HALF_CLOCK = r"(?:0?[1-9]|1[0-2]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)? ?[AaPp]\.?[Mm]\.?"
TIME = rf"(?:[ T,] ?(?:{CLOCK}|{HALF_CLOCK}))?"
FIXED_TIME = "(?:[ T,](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)?"
FIRST_12 = "(?:0?[1-9]|1[0-2])"
YEAR = "[12][0-9]{3}"
SAME = "(?:" + "|".join(f"0?{n}{{sign}}0?{n}" for n in range(1, 13)) + ")"
# Days that tell their order; the 29th of February is left to those that know the year.
LATE = "(?:1[3-9]|2[0-8])"
LONG, LONGEST = "(?:0?[13-9]|1[0-2])", "(?:0?[13578]|1[02])"
DAYS: dict[Kind, str] = {
    "day-first": f"(?:{LATE}{{sign}}{FIRST_12}|(?:29|30){{sign}}{LONG}|31{{sign}}{LONGEST})",
    "month-first": f"(?:{FIRST_12}{{sign}}{LATE}|{LONG}{{sign}}(?:29|30)|{LONGEST}{{sign}}31)",
    "date": SAME,
    "either": f"{FIRST_12}{{sign}}{FIRST_12}",  # after those of SAME are taken away
}

SPACE = r"[\s\x{1c}-\x{1f}]"
ANY_TIME = "(?:[ T,].*)?"
BODY = (
    rf"(?:[0-9]{{1,3}}(?:{GAP}[0-9]{{3}})+(?:[.,][0-9]*)?|[0-9]*[.,]?[0-9]*"
    r"|[1-9][0-9]{0,2}(?:,[0-9]{2,3})+(?:\.[0-9]*)?|[1-9][0-9]{0,2}(?:\.[0-9]{2,3})+(?:,[0-9]*)?)"
)
# What a number or a date cannot be without. What it does not match is neither.
NUMBER = (
    rf"(?:[(+\-−–]|{SPACE}|{CURRENCY})*{BODY}(?:[eE][+-]?[0-9]{{1,3}})?"
    rf"(?:[)%‰\-−–]|{SPACE}|{CURRENCY})*"
)
PERHAPS_NUMBER = f"^{NUMBER}$"
PERHAPS = "(?s)^(?:" + "|".join((
    NUMBER,
    rf"[0-9]{{1,4}}[./-][0-9]{{1,2}}[./-][0-9]{{1,4}}{ANY_TIME}",
    r"[0-9]{4}-[0-9]{2}|[0-9]{1,2}[/.][0-9]{4}",
    # A day, the name of a month, and a year; other names and what is around them as in dates.
    rf"(?:\p{{L}}{{2,}}\.?,?{SPACE}+)?[0-9]{{1,2}}(?:\.|st|nd|rd|th|er|º|ª)?(?:{SPACE}|[-/])*"
    rf"(?:de{SPACE}+)?\p{{L}}{{3,}}\.?(?:{SPACE}|[-/,])*(?:del?{SPACE}+)?[0-9]{{2}}(?:[0-9]{{2}})?"
    rf"(?:{SPACE}*г\.?)?{ANY_TIME}",
    rf"(?:\p{{L}}{{2,}}\.?,?{SPACE}+)?\p{{L}}{{3,}}\.?{SPACE}*[0-9]{{1,2}}(?:st|nd|rd|th)?,?{SPACE}+"
    rf"[0-9]{{4}}{ANY_TIME}",
    rf"\p{{L}}{{3,}}\.?(?:{SPACE}|[-/])*[0-9]{{4}}",
    r"[0-9]{4}\s*[年년].*",
)) + ")$"  # fmt: skip


@dataclass(frozen=True)
class Form:
    """``matches`` tells which values have this look.

    For writing them plainly: what is around the digits of numbers and between those of dates, and
    whether each part of a date has its two digits.
    """

    pattern: str
    look: Look
    number: "NumberForm | None" = None
    date_sign: str = ""
    is_fixed: bool = False

    def matches(self, values: Expr) -> Expr:
        if self is OTHER:
            return ~(values.str.contains("[0-9]") & values.str.contains(PERHAPS))
        if self.look.kind == "either":
            same = f"^{SAME.format(sign=re.escape(self.date_sign))}{re.escape(self.date_sign)}"
            return values.str.contains(self.pattern) & ~values.str.contains(same)
        return values.str.contains(self.pattern)


@dataclass(frozen=True)
class NumberForm:
    """``before`` and ``after`` stand around the digits; ``signed``: perhaps + or - before that.

    ``is_bare``: between the digits is nothing but a decimal sign; ``has_gaps``: spaces are.
    """

    before: str
    after: str
    signed: bool
    is_negative: bool
    is_bare: bool
    has_gaps: bool


OTHER = Form("", Look("other"))
ISO = Form(r"^[0-9]{4}-[0-9]{2}(?:-[0-9]{2}(?:[T ].+)?)?$", Look("iso"))


def form_of(value: str) -> Form | None:
    """The form that this value is an example of; None if it is better looked at by itself."""
    look = look_at(value)
    if look.kind == "other":
        return OTHER
    if look.kind == "iso":
        return ISO
    if look.kind in DAYS:
        return date_form(value, look)
    return number_form(value, look) if look.kind in BODIES else None


def number_form(value: str, look: Look) -> Form | None:
    found = WRITTEN.fullmatch(value)
    if not found or BRACKETED.search(value):
        return None
    before, after = value[: found.start("body")], value[found.end("body") :]
    signs = [sign for sign in (found["sign"], found["inner"], found["last"]) if sign]
    may_have_sign = not found["open"] and (not signs or found["sign"] in ("+", "-"))
    before = before.removeprefix(found["sign"] or "") if may_have_sign else before
    if may_have_sign and before[:1].isspace():
        return None
    is_negative = not may_have_sign and (bool(found["open"]) or signs[0] != "+")
    for body in BODIES[look.kind]:
        plus = "" if GAP in body else "+"  # with spaces it may be a phone number
        sign = f"[{plus}-]?" if may_have_sign else ""
        pattern = f"^{sign}{escaped(before)}{body}{escaped(after)}$"
        if re.search(pattern, value):
            styled = bool(before or after) or body not in BARE
            if styled == (PLAIN.fullmatch(value) is None):
                is_bare = body == BODIES[look.kind][0] and look.kind in ("whole", "point", "comma")
                around = (before, after, may_have_sign, is_negative, is_bare, GAP in body)
                return Form(pattern, look, NumberForm(*around))
    return None


def date_form(value: str, look: Look) -> Form | None:
    found = TWO_NUMBERS.fullmatch(value)
    if not found:
        return None
    sign = found["sign"]
    day = DAYS[look.kind].format(sign=re.escape(sign))
    loose = f"{day}{re.escape(sign)}{YEAR}{TIME}"
    fixed = f"{day}{re.escape(sign)}{YEAR}{FIXED_TIME}".replace("0?", "0")
    for pattern in (fixed, loose):
        if re.search(f"^{pattern}$", value):
            return Form(f"^{pattern}$", look, date_sign=sign, is_fixed=pattern is fixed)
    return None


def escaped(text: str) -> str:
    """For polars as well as for Python."""
    return "".join(f"[{c}]" if c in "$().*+?|" else c for c in text)
