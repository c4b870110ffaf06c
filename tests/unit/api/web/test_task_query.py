"""Addresses of the list of tasks that differ from the present one a little."""

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from api.web.task_query import TaskQuery

_NAMES = st.sampled_from(
    ["text", "type", "since", "status", "retrying", "cursor", "limit", "schedule_id", "parent_id"]
)
pairs = st.lists(st.tuples(_NAMES, st.text(min_size=1, max_size=20)), max_size=8)


def query_of(address: str) -> list[tuple[str, str]]:
    return parse_qsl(address.partition("?")[2], keep_blank_values=True)


def test_a_view_replaces_the_states_and_keeps_the_rest_from_the_first_page_on() -> None:
    query = TaskQuery([("text", "a&b"), ("status", "running"), ("cursor", "x")])
    views = {view.name: view for view in query.views}
    assert views["Running"].is_current
    assert [view.name for view in query.views if view.is_current] == ["Running"]
    assert views["All"].address == "/?text=a%26b"
    assert views["Retrying now"].address == "/?text=a%26b&retrying=true"
    assert views["Failed"].address == "/?text=a%26b&status=failed&status=blocked"


def test_states_that_no_view_has_are_none_of_them() -> None:
    query = TaskQuery([("status", "failed"), ("status", "completed")])
    assert not any(view.is_current for view in query.views)


def test_without_a_query_it_is_all_tasks_on_the_first_page() -> None:
    query = TaskQuery([])
    assert [view.name for view in query.views if view.is_current] == ["All"]
    assert (query.first, query.following(None), query.is_filtered) == (None, None, False)
    assert query.following("c=") == "/?cursor=c%3D"


def test_a_field_shows_no_value_where_there_are_several() -> None:
    query = TaskQuery([("type", "agent"), ("type", "plan"), ("text", "x")])
    assert (query.one("type"), query.one("text"), query.one("since")) == ("", "x", "")


@given(pairs)
def test_whatever_the_query_chips_take_away_one_kind_and_pages_keep_all(
    given: list[tuple[str, str]],
) -> None:
    query = TaskQuery(given)
    filters = [pair for pair in given if pair[0] != "cursor"]
    assert query_of(query.following("next") or "") == [*filters, ("cursor", "next")]
    special = [pair for pair in given if pair[0] in {"schedule_id", "parent_id"}]
    assert len(query.chips) == len(special)
    for chip in query.chips:
        left = [name for name, _ in query_of(chip.address)]
        assert len(left) < len(given)
        assert set(left) <= {name for name, _ in filters}
    fields = [pair for pair in filters if pair[0] in {"text", "type", "since"}]
    assert sorted([*query.kept, *fields]) == sorted(filters)
