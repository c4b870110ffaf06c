"""When a schedule would run, as Temporal will count it, before there is one.

A time that the clocks leave out, as they are put forward, does not come; of one that they show
twice, the first counts.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from api.schedules.zones import keeps_minutes
from workflows.definitions.cron import Cron

TIMES_SHOWN = 5
# From one 29th of February to the next it may be eight years.
_MOST_DAYS = 9 * 366


def next_times_of_cron(times: Cron, zone_name: str, after: datetime) -> list[datetime]:
    """The next five, in UTC. Fewer where they are years away. May read files: not on the loop."""
    # See `spec_of`: what runs every hour does not heed clocks that are put back.
    is_even = times.is_hourly and keeps_minutes(zone_name, after)
    zone = ZoneInfo("UTC" if is_even else zone_name)
    return list(islice(_matches(times, zone, after), TIMES_SHOWN))


def next_times_of_interval(every: timedelta, after: datetime) -> list[datetime]:
    """The next five, counted from 1970-01-01 in UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    first = (after - epoch) // every + 1
    return [epoch + every * (first + number) for number in range(TIMES_SHOWN)]


def _matches(times: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    first_day = after.astimezone(zone).date()
    for number in range(_MOST_DAYS):
        day = first_day + timedelta(days=number)
        if not times.has_day(day):
            continue
        for hour in times.hours:
            for minute in times.minutes:
                wanted = datetime.combine(day, time(hour, minute), zone)
                moment = wanted.astimezone(UTC)
                is_skipped = moment.astimezone(zone).time() != wanted.time()
                if moment > after and not is_skipped:
                    yield moment
