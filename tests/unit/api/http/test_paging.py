"""Cursors."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.store.reading.cursor import Cursor, cut
from api.errors import InvalidRequest
from api.http.paging import cursor_text, parse_cursor


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_it_went(moment: datetime, key: UUID) -> None:
    cursor = Cursor(moment, key)
    assert parse_cursor(cursor_text(cursor)) == cursor


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        parse_cursor(text)


@given(st.integers(0, 20), st.integers(1, 7))
def test_pages_are_the_whole_list_cut_in_pieces(count: int, limit: int) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [Cursor(start + timedelta(seconds=n), UUID(int=n)) for n in range(count)]
    seen: list[Cursor] = []
    text: str | None = None
    while True:
        after = parse_cursor(text)
        rest = [row for row in rows if after is None or row.moment > after.moment]
        page, following = cut(rest[: limit + 1], limit, lambda row: row)
        seen += page
        text = cursor_text(following)
        if text is None:
            break
    assert seen == rows


def test_a_cursor_at_the_end_of_time_is_refused() -> None:
    forged = cursor_text(Cursor(datetime.max, UUID(int=0)))  # noqa: DTZ901
    assert parse_cursor(forged) is not None
    with pytest.raises(InvalidRequest):
        parse_cursor("MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCAwMA==")
