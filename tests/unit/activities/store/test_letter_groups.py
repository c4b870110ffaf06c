"""The stretches of time in which dead letters are counted."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from activities.store.reading.letter_groups import MOST_BUCKETS, width_of

MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, MOMENTS)
def test_there_are_never_more_buckets_than_can_be_shown(one: datetime, other: datetime) -> None:
    first, last = sorted((one, other))
    width = width_of(first, last)
    assert last.timestamp() // width - first.timestamp() // width < MOST_BUCKETS


def test_buckets_are_hours_within_a_day_and_days_within_weeks() -> None:
    last = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
    assert width_of(last, last) == 3_600
    assert width_of(last - timedelta(hours=23), last) == 3_600
    assert width_of(last - timedelta(days=20), last) == 24 * 3_600
