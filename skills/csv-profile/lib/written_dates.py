"""Dates as people write them: ``31.01.24``, ``1/31/2024 14:05``, ``31 Jan 2024``, ``01/2024``.

Skills that look at values carry this same module, because a skill's folder stands alone.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from calendar_names import WEEKDAY_NUMBERS, folded, month_of

Order = Literal["day-first", "month-first"]

CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
ZONE = r"(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})"
TIME = rf"(?:[ T,]\s*(?P<time>{CLOCK})\s*(?P<half>[AaPp]\.?[Mm]\.?)?(?:\s*{ZONE})?)?"
YEAR = r"(?P<year>[0-9]{4})"
DAY = r"(?P<day>[0-9]{1,2})"
NAME = r"(?P<name>[^\W\d_]{3,})\.?"
WEEKDAY = r"(?:(?P<weekday>[^\W\d_]{2,})\.?,?\s+)?"
TWO_NUMBERS = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<sign>[./-])(?P<second>[0-9]{1,2})(?P=sign)"
    rf"(?P<year>[0-9]{{4}}|[0-9]{{2}}){TIME}"
)
YEAR_FIRST = re.compile(rf"{YEAR}(?P<sign>[./])(?P<month>[0-9]{{1,2}})(?P=sign){DAY}{TIME}")
EAST_ASIAN = re.compile(
    rf"{YEAR}\s*[年년]\s*(?P<month>[0-9]{{1,2}})\s*[月월]\s*{DAY}\s*[日일]{TIME}"
)
NAMED = re.compile(
    rf"{WEEKDAY}{DAY}(?:\.|st|nd|rd|th|er|º|ª)?[\s\-/]*(?:de\s+)?{NAME}[\s\-/,]*(?:del?\s+)?{YEAR}"
    rf"(?:\s*г\.?)?{TIME}"
)
SHORT_NAMED = re.compile(rf"{DAY}(?P<sign>[-/]){NAME}(?P=sign)(?P<year>[0-9]{{2}}){TIME}")
NAME_FIRST = re.compile(rf"{WEEKDAY}{NAME}\s*{DAY}(?:st|nd|rd|th)?,?\s+{YEAR}{TIME}")
MONTH_AND_YEAR = re.compile(r"(?P<month>[0-9]{1,2})[/.](?P<year>[0-9]{4})")
NAME_AND_YEAR = re.compile(rf"{NAME}[\s\-/]*{YEAR}")
CERTAIN = (
    YEAR_FIRST, EAST_ASIAN, NAMED, SHORT_NAMED, NAME_FIRST, MONTH_AND_YEAR, NAME_AND_YEAR
)  # fmt: skip
FIRST_OF_LAST_CENTURY = 69  # of years in two digits, as programs read them


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
    found = TWO_NUMBERS.fullmatch(cell)
    if found and not (found["sign"] == "-" and len(found["year"]) == 2):  # 24-01-31 is neither
        first, second = int(found["first"]), int(found["second"])
        clock = time_of(found)
        year = whole_year(found["year"])
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
    weekday = parts.get("weekday")
    if month is None or (weekday and folded(weekday) not in WEEKDAY_NUMBERS):
        return None
    if "day" in parts:
        day = iso(whole_year(parts["year"]), month, int(parts["day"]), time_of(found))
    else:
        day = iso(whole_year(parts["year"]), month, 1, "")
        day = day[: len("2024-01")] if day else None
    return WrittenDate({"day-first": day, "month-first": day} if day else {})


def whole_year(written: str) -> int:
    """1999 for 99, 2024 for 24."""
    if len(written) == len("2024"):
        return int(written)
    return int(written) + (1900 if int(written) >= FIRST_OF_LAST_CENTURY else 2000)


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
    zone = found["zone"] or ""
    if len(zone) == len("+0100"):
        zone = f"{zone[:3]}:{zone[3:]}"
    return f" {hour:02d}:{rest}{'Z' if zone.isalpha() else zone}"


def iso(year: int, month: int, day: int, clock: str | None) -> str | None:
    try:
        return None if clock is None else date(year, month, day).isoformat() + clock
    except ValueError:
        return None
