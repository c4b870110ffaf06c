"""What the items of a step are called."""

import pytest

from workflows.item_names import folded, item_name, step_of


def test_an_item_is_named_after_its_step_and_number() -> None:
    assert item_name("chart", 3) == "chart[3]"
    assert step_of("chart[3]") == step_of("chart") == "chart"


@pytest.mark.parametrize("name", ["4.1 write_file", "a[b]", "mcp.x[1] y"], ids=str)
def test_what_only_looks_like_an_item_is_none(name: str) -> None:
    assert step_of(name) == name


def test_items_that_follow_each_other_are_one_name() -> None:
    names = ["a", "b[0]", "b[1]", "b[2]", "b[5]", "c[0]", "c[1]", "d", "b[9]"]
    assert folded(names) == ["a", "b[0-2,5]", "c[0-1]", "d", "b[9]"]
    assert folded([]) == []
