"""When a schedule would run, before there is one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.schedules.times import TIMES_SHOWN, next_times_of_cron, next_times_of_interval
from workflows.definitions import cron

BERLIN = "Europe/Berlin"
_MOMENTS = st.integers(1_767_225_600, 1_956_528_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
_CRONS = st.sampled_from(
    ["*/7 * * * *", "30 8 * * MON-FRI", "0 0 13 * FRI", "15,45 2 * * *", "0 3 1 */2 *"]
)


def _times(text: str, zone: str, after: str) -> list[str]:
    found = next_times_of_cron(cron.parse(text), zone, datetime.fromisoformat(after))
    return [each.isoformat() for each in found]


@given(_CRONS, st.sampled_from(["UTC", BERLIN, "Asia/Kathmandu", "America/St_Johns"]), _MOMENTS)
def test_the_next_times_all_match_and_none_is_left_out(
    text: str, zone: str, after: datetime
) -> None:
    times, clock = cron.parse(text), ZoneInfo(zone)
    found = next_times_of_cron(times, zone, after)
    assert len(found) == TIMES_SHOWN
    assert found == sorted(found)
    assert after < found[0]
    assert all(times.matches(each.astimezone(clock)) for each in found)
    minute = after.replace(second=0, microsecond=0)
    between = (minute + timedelta(minutes=number) for number in range(1, 2_000))
    first = next((each for each in between if times.matches(each.astimezone(clock))), found[0])
    assert found[0] <= max(first, found[0])
    assert first >= found[0]


def test_a_time_that_the_clocks_leave_out_does_not_come() -> None:
    [first, second, *_] = _times("30 2 * * *", BERLIN, "2026-03-28T12:00:00+00:00")
    assert (first, second) == ("2026-03-30T00:30:00+00:00", "2026-03-31T00:30:00+00:00")


def test_a_time_that_the_clocks_show_twice_comes_once() -> None:
    [first, second, *_] = _times("30 2 * * *", BERLIN, "2026-10-24T12:00:00+00:00")
    assert (first, second) == ("2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00")


def test_what_runs_every_hour_runs_also_while_the_clocks_are_put_back() -> None:
    times = _times("30 * * * *", BERLIN, "2026-10-25T00:00:00+00:00")
    assert [each[11:16] for each in times] == ["00:30", "01:30", "02:30", "03:30", "04:30"]


def test_a_29th_of_february_is_found_years_ahead() -> None:
    times = _times("0 0 29 2 *", "UTC", "2026-11-29T00:00:00+00:00")
    assert [each[:10] for each in times] == ["2028-02-29", "2032-02-29"]


@pytest.mark.parametrize(
    ("seconds", "first"), [(600, "2026-11-29T12:10:00"), (7 * 86_400, "2026-12-03T00:00:00")]
)
def test_an_interval_is_counted_from_1970(seconds: int, first: str) -> None:
    after = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    found = next_times_of_interval(timedelta(seconds=seconds), after)
    assert found[0].isoformat() == f"{first}+00:00"
    assert found[1] - found[0] == timedelta(seconds=seconds)
    assert len(found) == TIMES_SHOWN
