"""Plots."""

import re
import xml.etree.ElementTree as ET
from math import isfinite

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.axis import places, ticks
from api.web.drawing.plot import HEIGHT, MAX_COLUMNS, MAX_SERIES, OTHERS, Column, plot

numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 10**30).map(float)
names = st.sampled_from(["gpt-5-mini", "qwen3", "<b>", OTHERS]) | st.text(max_size=200)
columns = st.lists(
    st.builds(Column, st.text(max_size=40), st.dictionaries(names, numbers, max_size=12)),
    max_size=12,
)
_ALLOWED = {
    *("figure", "svg", "line", "text", "path", "rect", "title", "ul", "li", "bdi", "details"),
    *("summary", "div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}


def parsed(markup: str) -> ET.Element:
    """The figure, as strict XML; it has no style and nothing that runs."""
    root = ET.fromstring(markup)
    for each in root.iter():
        assert each.tag in _ALLOWED
        assert not {name for name in each.attrib if name.startswith("on") or name == "style"}
    return root


def drawn(items: list[Column]) -> ET.Element:
    return parsed(plot(items, title="Tokens", of="model"))


def texts(root: ET.Element, tag: str) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(tag)]


def rows(root: ET.Element) -> list[list[str]]:
    return [[text for cell in row for text in cell.itertext()] for row in root.iter("tr")]


@given(columns)
@example([Column("a", {"x": 1e308, "y": 1e308})])
@example([Column("a", {"x": 5e-324})])
@example([Column("a", {"x": float("nan"), "y": float("inf")})])
def test_any_columns_are_drawn_within_bounds(items: list[Column]) -> None:
    markup = plot(items, title="Tokens", of="model")
    root = parsed(markup)
    assert len(markup) < 60_000
    for path in root.iter("path"):
        for y in re.findall(r"V([\d.e+-]+)|M[\d.]+ ([\d.e+-]+)", path.attrib["d"]):
            assert -0.01 <= float(y[0] or y[1]) <= HEIGHT + 0.01


@given(st.integers(0, 500))
def test_columns_that_are_labelled_are_few_and_have_the_first_and_the_last(count: int) -> None:
    found = places(count)
    assert len(set(found)) == len(found) <= 5
    assert count == 0 or {0, count - 1} <= set(found)


@given(numbers)
def test_a_scale_begins_at_nothing_and_ends_at_the_most_or_above(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert len(found) <= 5
    assert list(found) == sorted(set(found))
    assert all(isfinite(value) for value in found)
    if 1e-6 < most < 1e90:
        assert most <= found[-1] * 1.000_001
        assert found[-1] <= most * 2.6


def test_no_columns_are_an_axis_and_nothing_else() -> None:
    root = drawn([])
    assert texts(root, "text") == ["0"]
    assert list(root.iter("path")) == []


def test_a_day_of_nothing_is_no_row_of_the_table() -> None:
    root = drawn([Column("Mon", {"a": 0}), Column("Tue", {"a": 5})])
    assert rows(root) == [["day", "a"], ["Tue", "5"]]


def test_kinds_come_in_the_order_of_their_sums() -> None:
    items = [Column("Mon", {"small": 1, "large": 3}), Column("Tue", {"small": 2, "large": 4})]
    root = drawn(items)
    assert texts(root, "li") == ["large", "small"]
    assert rows(root) == [
        ["day", "large", "small", "all"],
        ["Tue", "4", "2", "6"],
        ["Mon", "3", "1", "4"],
    ]


def test_many_kinds_are_shown_as_the_largest_and_the_others() -> None:
    parts = {f"model {number}": 100.0 - number for number in range(20)}
    root = drawn([Column("Mon", parts)])
    shown = texts(root, "li")
    assert len(shown) == MAX_SERIES
    assert shown[-1] == OTHERS
    assert rows(root)[1][-1] == f"{sum(parts.values()):,.0f}"


def test_one_kind_needs_no_legend() -> None:
    assert texts(drawn([Column("Mon", {"a": 1})]), "li") == []


def test_each_column_says_its_day_and_sum_to_who_points_at_it() -> None:
    root = drawn([Column("29 Nov", {"a": 1_000, "b": 500})])
    assert texts(root, "title") == ["29 Nov: 1,500"]


def test_a_picture_has_a_name_and_a_table_a_caption() -> None:
    root = drawn([Column("Mon", {"a": 1_234})])
    [svg] = [each for each in root.iter("svg") if each.attrib.get("role") == "img"]
    assert svg.attrib["aria-label"] == "Tokens: 1 columns, at most 1,234"
    assert texts(root, "caption") == ["Tokens, by day and model"]


def test_all_columns_of_eight_models_are_a_small_picture() -> None:
    parts = {f"model-{number}": 1_000.0 + number for number in range(MAX_SERIES)}
    items = [Column(f"day {number}", parts) for number in range(MAX_COLUMNS + 50)]
    markup = plot(items, title="Tokens", of="model")
    picture = markup[: markup.index("<details")]
    assert len(picture) < 40_000
    assert "day 49:" not in picture


@pytest.mark.parametrize(
    "text", ["</svg><script>alert(1)</script>", "\u202e\x00\ud800", "x" * 10**6]
)
def test_hostile_names_are_text_and_short(text: str) -> None:
    markup = plot([Column(text, {text: 1, "b": 2})], title=text, of=text)
    parsed(markup)
    assert len(markup) < 6_000
    assert not re.search(r"[\x00\u202e\ud800]", markup)
