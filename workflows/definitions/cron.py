"""Times in the form of crontab(5), read strictly: what means nothing, or never comes, is refused.

Temporal reads such texts, too, but takes oddities without a word, and wants the day of the month
*and* that of the week to match where cron takes either. So it is given what was read here.
"""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from workflows.errors import BadInput

MAX_CHARACTERS = 200
DAY_MINUTES = 24 * 60

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = {
    **{"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6},
    **{"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12},
}
_WEEKDAYS = {
    name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
}
_ITEM = re.compile(r"(?:(\*)|([A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?)(?:/([0-9]+))?")
_SUNDAY_TOO = 7
_LEAP_YEAR = 2028


class CronMalformed(BadInput):
    """{text!r} is not a cron expression: {reason}. Write five fields, minute, hour, day of the
    month, month and day of the week, such as `*/5 * * * *` or `30 8 * * MON-FRI`."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: Mapping[str, int]


_MINUTE = _Field("minute", 0, 59, {})
_HOUR = _Field("hour", 0, 23, {})
_DAY = _Field("day of the month", 1, 31, {})
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of the week", 0, _SUNDAY_TOO, _WEEKDAYS)
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that match, in order; a weekday of 0 is Sunday. ``any_day`` and ``any_weekday``:
    the field begins with a star. Where neither does, a day matches that either of them has."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    weekdays: Sequence[int]
    any_day: bool
    any_weekday: bool

    @property
    def has_either_day(self) -> bool:
        """Whether a day of the month is enough, and so is a day of the week."""
        return not (self.any_day or self.any_weekday)

    @property
    def is_hourly(self) -> bool:
        """Whether all hours of all days are alike."""
        whole = (len(self.hours), len(self.days), len(self.months), len(self.weekdays))
        return whole == (24, 31, 12, 7)

    @property
    def least_seconds(self) -> float:
        """The shortest time from one match to the next, by the clock on the wall."""
        times = [60 * hour + minute for hour in self.hours for minute in self.minutes]
        gaps = [after - before for before, after in pairwise(times)]
        return 60.0 * min([*gaps, DAY_MINUTES - times[-1] + times[0]])

    def matches(self, moment: datetime) -> bool:
        """Whether the minute of ``moment``, by its own clock, is one of these."""
        at = moment.minute in self.minutes and moment.hour in self.hours
        return at and self.has_day(moment)

    def has_day(self, date: date) -> bool:
        """Whether there is a match on that day."""
        day, weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        is_day = (day or weekday) if self.has_either_day else (day and weekday)
        return date.month in self.months and is_day


def parse(text: str) -> Cron:
    """Raises ``CronMalformed``."""
    if len(text) > MAX_CHARACTERS:
        shown = f"{text[:40]}..."
        raise CronMalformed(text=shown, reason=f"it has more than {MAX_CHARACTERS} characters")
    try:
        return _read(_spelled_out(text.strip()))
    except _Wrong as wrong:
        raise CronMalformed(text=text, reason=str(wrong)) from None


class _Wrong(Exception):
    pass


def _spelled_out(text: str) -> str:
    if not text.startswith("@"):
        return text
    if text.lower() in _ALIASES:
        return _ALIASES[text.lower()]
    hint = "; an interval is `every`" if text.lower().startswith("@every") else ""
    raise _Wrong(f"of the short forms there are {', '.join(_ALIASES)}{hint}")


def _read(text: str) -> Cron:
    parts = text.split()
    if len(parts) != len(_FIELDS):
        hint = "; a time zone is `time_zone`" if "TZ=" in text else ""
        raise _Wrong(f"it has {len(parts)} fields{hint}")
    minutes, hours, days, months, weekdays = (
        sorted(set(_values(field, part))) for field, part in zip(_FIELDS, parts, strict=True)
    )
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=sorted({weekday % _SUNDAY_TOO for weekday in weekdays}),
        any_day=parts[2].startswith("*"),
        any_weekday=parts[4].startswith("*"),
    )
    if not cron.has_either_day and not _has_date(cron):
        raise _Wrong("no month that it names has such a day, so it would never run")
    return cron


def _has_date(cron: Cron) -> bool:
    longest = max(calendar.monthrange(_LEAP_YEAR, month)[1] for month in cron.months)
    return cron.days[0] <= longest


def _values(field: _Field, part: str) -> Iterator[int]:
    for item in part.split(","):
        yield from _item_values(field, item)


def _item_values(field: _Field, item: str) -> Sequence[int]:
    found = _ITEM.fullmatch(item)
    if found is None:
        raise _Wrong(f"{item!r} is no value of the {field.name}")
    star, first, last, step = found.groups()
    if star:
        # Sunday is there once.
        least, most = field.least, field.most - (field is _WEEKDAY)
    else:
        least = _value(field, first)
        most = _value(field, last) if last else least
        if field is _WEEKDAY and most == 0 < least:
            most = _SUNDAY_TOO  # As in FRI-SUN.
    if most < least:
        raise _Wrong(f"{item!r} goes backwards; write it as two, with a comma")
    if step is None:
        return range(least, most + 1)
    if least == most:
        raise _Wrong(f"{item!r} has a step, but no range; write {first}-{field.most}/{step}")
    if not 1 <= int(step) <= most - least:
        raise _Wrong(f"the step of {item!r} must be at least 1 and at most {most - least}")
    return range(least, most + 1, int(step))


def _value(field: _Field, text: str) -> int:
    if text.upper() in field.names:
        return field.names[text.upper()]
    if not text.isdigit() or len(text) > 2 or not field.least <= int(text) <= field.most:
        known = f" or {', '.join(field.names)}" if field.names else ""
        raise _Wrong(f"{text!r} is no {field.name}: {field.least} to {field.most}{known}")
    return int(text)
