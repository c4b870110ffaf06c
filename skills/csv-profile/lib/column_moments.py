"""Dates and times of the usual forms, many at once."""

import polars
from column_tally import Tally, parted
from polars import Series, col

# Days that there are in every year; the 29th of February is left to those that know the year.
DAY = (
    "[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
# Within each, the order of letters is that of time, if the zone is the same.
FORMS = {
    f"^{DAY}$": "date",
    **{
        f"^{DAY}{between}{MINUTE}{second}(?:{ZONE})?$": "datetime"
        for between in " T"
        for second in ("", ":[0-5][0-9]", r":[0-5][0-9]\.[0-9]{1,6}")
    },
}


def add_moments(tally: Tally, values: Series) -> Series:
    """Add dates and times of the usual forms, and return the others."""
    used = tally.column.forms
    for form in sorted(FORMS, key=lambda form: -used[form]):
        taken, others = parted(values, form)
        if len(taken):
            used[form] += len(taken)
            add_ends(tally, taken)
            tally.add(FORMS[form], taken)
            values = others
        if not len(values):
            break
    return values


def add_ends(tally: Tally, taken: Series) -> None:
    """Add the first and the last of each zone."""
    zone = col("value").str.extract(f"({ZONE})$").alias("zone")
    ends = (
        taken.to_frame("value")
        .group_by(zone)
        .agg(polars.min("value").alias("first"), polars.max("value").alias("last"))
    )
    for end in (*ends["first"], *ends["last"]):
        tally.column.add_date(end)
