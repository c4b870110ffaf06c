"""Cron expressions: each form is read as crontab(5) has it, and what is none is told."""

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflows.definitions import cron
from workflows.definitions.cron import CronMalformed

Item = tuple[str, frozenset[int]]


def items(least: int, most: int) -> st.SearchStrategy[Item]:
    """Items of a field as they are written, each with the values that it stands for."""
    values = st.integers(least, most)
    ranges = st.tuples(values, values).map(sorted)
    steps = st.integers(1, most - least)
    return st.one_of(
        values.map(lambda value: (str(value), frozenset([value]))),
        ranges.map(lambda pair: (f"{pair[0]}-{pair[1]}", frozenset(range(pair[0], pair[1] + 1)))),
        steps.map(lambda step: (f"*/{step}", frozenset(range(least, most + 1, step)))),
        st.just(("*", frozenset(range(least, most + 1)))),
    )


def fields(least: int, most: int) -> st.SearchStrategy[Item]:
    lists = st.lists(items(least, most), min_size=1, max_size=4)
    return lists.map(
        lambda parts: (
            ",".join(text for text, _ in parts),
            frozenset().union(*(values for _, values in parts)),
        )
    )


BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
FIELDS = st.one_of(
    *(
        fields(*bounds).map(lambda field, place=place: (place, field))
        for place, bounds in enumerate(BOUNDS)
    )
)


@given(FIELDS)
@example((4, ("0-0", frozenset([0]))))
def test_a_field_has_the_values_of_all_its_items(written: tuple[int, Item]) -> None:
    place, (text, values) = written
    parts = ["*"] * 5
    parts[place] = text
    read = cron.parse(" ".join(parts))
    found = (read.minutes, read.hours, read.days, read.months, read.weekdays)
    assert found[place] == sorted(values)
    others = [
        found[other] == list(range(least, most + 1))
        for other, (least, most) in enumerate(BOUNDS)
        if other != place
    ]
    assert all(others)


@given(st.text(max_size=250))
@example("* * * * *\n* * * * *")
@example("१ * * * *")
@example("*/99999999999999999999 * * * *")
@example("-1 * * * *")
def test_any_text_is_read_or_refused_and_nothing_else_happens(text: str) -> None:
    try:
        read = cron.parse(text)
    except CronMalformed:
        return
    assert all((read.minutes, read.hours, read.days, read.months, read.weekdays))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("0 0 * * * *", "it has 6 fields"),
        ("CRON_TZ=Europe/Berlin 0 0 * * *", "a time zone is `time_zone`"),
        ("@every 5m", "an interval is `every`"),
        ("@reboot", "of the short forms there are @yearly"),
        ("60 * * * *", "'60' is no minute: 0 to 59"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * 13 *", "'13' is no month"),
        ("* * * * 8", "'8' is no day of the week"),
        ("* * * * MOON", "'MOON' is no day of the week: 0 to 7 or SUN, MON"),
        ("* * * MON *", "'MON' is no month"),
        ("5/15 * * * *", "write 5-59/15"),
        ("*/0 * * * *", "at least 1 and at most 59"),
        ("*/60 * * * *", "at least 1 and at most 59"),
        ("1-3/5 * * * *", "at least 1 and at most 2"),
        ("30-10 * * * *", "goes backwards"),
        ("* * * * FRI-MON", "goes backwards"),
        ("1,,2 * * * *", "'' is no value of the minute"),
        ("0 0 L * *", "'L' is no day of the month"),
        ("0 0 * * 5#2", "'5#2' is no value"),
        ("? * * * *", "'?' is no value"),
        ("0 0 30 2 *", "it would never run"),
        ("0 0 31 4,6 *", "it would never run"),
        ("* " * 150, "more than 200 characters"),
    ],
)
def test_what_is_no_cron_expression_is_told_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(CronMalformed) as caught:
        cron.parse(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@yearly", "0 0 1 JAN *"),
        ("0 0 * jan-mar mon-fri", "0 0 * 1-3 1-5"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * FRI-SUN", "0 0 * * 0,5,6"),
        ("0  0\t* * *", "0 0 * * *"),
    ],
)
def test_short_forms_and_names_mean_numbers(text: str, same: str) -> None:
    assert cron.parse(text) == cron.parse(same)


def test_a_day_of_the_month_or_one_of_the_week_is_enough_where_both_are_named() -> None:
    read = cron.parse("0 12 13 * FRI")
    first = datetime(2027, 8, 1, 12)  # noqa: DTZ001  (by the clock on the wall)
    days = [first + timedelta(days=number) for number in range(31)]
    assert [day.day for day in days if read.matches(day)] == [6, 13, 20, 27]
    both = cron.parse("0 12 * * FRI")
    assert not both.matches(first)


def test_29_february_comes_in_leap_years() -> None:
    assert cron.parse("0 0 29 2 *").days == [29]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("* * * * *", 60),
        ("*/7 * * * *", 240),
        ("0 9,17 * * *", 8 * 3600),
        ("55 23 * * *", 86_400),
        ("0,59 0,23 * * *", 60),
    ],
)
def test_the_shortest_time_between_matches_is_known(text: str, seconds: int) -> None:
    assert cron.parse(text).least_seconds == seconds
