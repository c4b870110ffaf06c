"""Dates as people write them: ``31.01.2024``, ``1/31/2024 14:05``, ``31 Jan 2024``, ``01/2024``.

Skills that look at values carry this same module, because a skill's folder stands alone.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from calendar_names import month_of

Order = Literal["day-first", "month-first"]

CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
TIME = rf"(?:[ T,]\s*(?P<time>{CLOCK})\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
YEAR = r"(?P<year>[0-9]{4})"
DAY = r"(?P<day>[0-9]{1,2})"
NAME = r"(?P<name>[^\W\d_]{3,})\.?"
TWO_NUMBERS = re.compile(
    rf"(?P<first>[0-9]{{1,2}})(?P<sign>[./-])(?P<second>[0-9]{{1,2}})(?P=sign){YEAR}{TIME}"
)
YEAR_FIRST = re.compile(rf"{YEAR}(?P<sign>[./])(?P<month>[0-9]{{1,2}})(?P=sign){DAY}{TIME}")
NAMED = re.compile(rf"{DAY}(?:\.|st|nd|rd|th)?[\s\-/]*{NAME}[\s\-/,]*{YEAR}{TIME}")
NAME_FIRST = re.compile(rf"{NAME}\s*{DAY}(?:st|nd|rd|th)?,?\s+{YEAR}{TIME}")
MONTH_AND_YEAR = re.compile(r"(?P<month>[0-9]{1,2})[/.](?P<year>[0-9]{4})")
NAME_AND_YEAR = re.compile(rf"{NAME}[\s\-/]*{YEAR}")
CERTAIN = (YEAR_FIRST, NAMED, NAME_FIRST, MONTH_AND_YEAR, NAME_AND_YEAR)


@dataclass(frozen=True)
class WrittenDate:
    """``orders``: those in which it is a day there is; both where either would do, or none."""

    by_order: dict[Order, str]

    @property
    def is_ambiguous(self) -> bool:
        return len(set(self.by_order.values())) > 1

    @property
    def only(self) -> Order | None:
        """The order that it proves."""
        return next(iter(self.by_order)) if len(self.by_order) == 1 else None


def read_date(cell: str) -> WrittenDate | None:
    """None if it has no date's shape; without any order if the day does not exist."""
    if found := TWO_NUMBERS.fullmatch(cell):
        first, second = int(found["first"]), int(found["second"])
        clock = time_of(found)
        year = int(found["year"])
        days: dict[Order, str | None] = {
            "day-first": iso(year, second, first, clock),
            "month-first": iso(year, first, second, clock),
        }
        return WrittenDate({order: day for order, day in days.items() if day})
    matches = (pattern.fullmatch(cell) for pattern in CERTAIN)
    return next((certain for match in matches if match and (certain := certain_date(match))), None)


def certain_date(found: re.Match[str]) -> WrittenDate | None:
    """A date whose parts leave no doubt; None if what stands for the month is no month's name."""
    parts = found.groupdict()
    month = month_of(parts["name"]) if "name" in parts else int(parts["month"])
    if month is None:
        return None
    if "day" in parts:
        day = iso(int(parts["year"]), month, int(parts["day"]), time_of(found))
    else:
        day = iso(int(parts["year"]), month, 1, "")
        day = day[: len("2024-01")] if day else None
    return WrittenDate({"day-first": day, "month-first": day} if day else {})


def time_of(found: re.Match[str]) -> str | None:
    """`` 14:05`` or nothing; None for a time that no clock shows."""
    if not found["time"]:
        return ""
    hours, _, rest = found["time"].partition(":")
    hour = int(hours)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"][0] in "Pp" else 0)
    if hour > 23 or any(int(part[:2]) > 59 for part in rest.split(":")):
        return None
    return f" {hour:02d}:{rest}"


def iso(year: int, month: int, day: int, clock: str | None) -> str | None:
    try:
        return None if clock is None else date(year, month, day).isoformat() + clock
    except ValueError:
        return None
