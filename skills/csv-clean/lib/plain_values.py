"""Writing the values of a column plainly, many at once: the same as value by value, only faster.

Skills that read large files carry this same module, because a skill's folder stands alone.
"""

import re

import polars
from column_looks import Forms
from column_reading import Reading
from polars import Expr, Series, col
from written_forms import Form
from written_numbers import SPACES


def plainly(values: Series, reading: Reading, forms: Forms) -> Series:
    """The values as programs write them; null stays null."""
    if not reading.plain:
        return values
    value = col("value")
    cases = polars.when(polars.lit(value=False)).then(value)
    for form in forms.known:
        if (written := plain_form(form, reading, value)) is not None:
            cases = cases.when(form.matches(value)).then(written)
    name = values.name
    frame = values.to_frame("value").with_columns(cases.otherwise(None).alias("plain"))
    others = frame["value"].filter(frame["plain"].is_null()).drop_nulls().unique()
    if not len(others):
        return frame["plain"].alias(name)
    written = Series([reading.plain(value) for value in others], dtype=polars.String)
    rest = frame["value"].replace(others, written)
    return frame.select(polars.coalesce(col("plain"), rest)).to_series().alias(name)


def plain_form(form: Form, reading: Reading, values: Expr) -> Expr | None:
    """The values of a form as they are to be written; None if that takes one by one."""
    kind = form.look.kind
    if kind in ("other", "iso"):
        return values
    if reading.of_dates:
        return plain_date(form, reading.way, values) if form.date_sign else None
    if form.date_sign or kind == ("point" if reading.way == "comma" else "comma"):
        return values
    return plain_number(form, reading.way, values)


def plain_number(form: Form, decimal: str, values: Expr) -> Expr | None:
    around = form.number
    if around is None:
        return None
    bare = values.str.strip_prefix("+") if around.signed else values
    if around.before:  # a minus before it stays
        bare = bare.str.replace(around.before, "", literal=True)
    if around.after:
        bare = bare.str.strip_suffix(around.after)
    if around.has_gaps:
        bare = bare.str.replace_all(f"['’{SPACES}]", "")
    if not around.is_bare:
        bare = bare.str.replace_all("." if decimal == "comma" else ",", "", literal=True)
    if decimal == "comma":
        bare = bare.str.replace(",", ".", literal=True)
    return polars.concat_str(polars.lit("-"), bare) if around.is_negative else bare


def plain_date(form: Form, order: str, values: Expr) -> Expr:
    if form.look.kind not in (order, "either", "date"):
        return values
    if form.is_fixed:
        return fixed_date(order, values)
    day, month = (1, 2) if order == "day-first" else (2, 1)
    sign = re.escape(form.date_sign)
    numbers = f"^([0-9]{{1,2}}){sign}([0-9]{{1,2}}){sign}([0-9]{{4}})"
    clock = r"(?:[ T,] ?([0-9]{1,2})(:[0-9:.]*[0-9]))? ?(?:([AaPp])\.?[Mm]\.?)?$"
    part = values.str.extract_groups(numbers + clock).struct
    hour = part.field("4").cast(polars.Int64)
    is_late = part.field("6").str.to_lowercase() == "p"
    half = polars.when(is_late).then(hour % 12 + 12).otherwise(hour % 12)
    hour = polars.when(part.field("6").is_null()).then(hour).otherwise(half)
    time = polars.concat_str(
        polars.lit(" "), hour.cast(polars.String).str.zfill(2), part.field("5")
    ).fill_null("")
    two = [part.field(str(number)).str.zfill(2) for number in (month, day)]
    dash = polars.lit("-")
    return polars.concat_str(part.field("3"), dash, two[0], dash, two[1], time)


def fixed_date(order: str, values: Expr) -> Expr:
    """Where each part has its two digits, as in ``31.01.2024 09:05``."""
    day, month = (0, 3) if order == "day-first" else (3, 0)
    dash = polars.lit("-")
    time = polars.when(values.str.len_bytes() > len("31.01.2024")).then(polars.lit(" "))
    return polars.concat_str(
        values.str.slice(6, 4),
        dash,
        values.str.slice(month, 2),
        dash,
        values.str.slice(day, 2),
        time.otherwise(polars.lit("")),
        values.str.slice(len("31.01.2024 ")),
    )
