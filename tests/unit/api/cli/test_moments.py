"""Times on the command line."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from api.cli.commands.moments import check_order, in_a_query, parse_moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-29T12:00", datetime(2026, 11, 29, 12, tzinfo=UTC)),
        ("2026-11-29", datetime(2026, 11, 29, tzinfo=UTC)),
        ("2026-11-29T12:00+02:00", datetime(2026, 11, 29, 10, tzinfo=UTC)),
        ("2026-11-29T12:00:00Z", datetime(2026, 11, 29, 12, tzinfo=UTC)),
    ],
)
def test_a_moment_is_one_of_utc_unless_it_has_a_zone(text: str, meant: datetime) -> None:
    assert parse_moment(text) == meant


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        (" 2 h ", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_a_span_of_time_is_so_long_ago(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)
    assert before <= parse_moment(text) + ago <= datetime.now(UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "12", "-3d", "1y", "2026-13-01", "0001-01-01T00:00+23:00", "999999w"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="how long ago"):
        parse_moment(text)


def test_what_is_no_time_is_told_how_days_moments_and_zones_are_written() -> None:
    for text in ("yesterday", "30.11.2026"):
        with pytest.raises(typer.BadParameter) as refused:
            parse_moment(text)
        for part in ("2026-11-29,", "2026-11-29T12:00", "UTC", "+02:00", "2d"):
            assert part in refused.value.message


def test_a_span_of_time_that_is_turned_round_is_refused() -> None:
    check_order(in_a_query("3d"), in_a_query("2d"))
    check_order(None, in_a_query("3d"))
    check_order(in_a_query("2026-11-29T12:00+02:00"), in_a_query("2026-11-29T11:00Z"))
    with pytest.raises(typer.BadParameter, match="are the two swapped"):
        check_order(in_a_query("2d"), in_a_query("3d"))
