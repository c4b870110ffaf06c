"""Drawings the size of a word."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.sparkline import HEIGHT, MAX_BARS, Run, runs, sparkline
from workflows.states import Status

HOSTILE = "<script>alert(1)</script>\"'&\x00\u202e" + "x" * 1_000_000
_MOST_CHARACTERS = 12_000

numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 10**30).map(float)
statuses = st.sampled_from(list(Status)).map(str) | st.text(max_size=30)
pasts = st.lists(st.builds(Run, statuses, st.none() | numbers), max_size=60)


def parsed(markup: str) -> ET.Element:
    """The drawing, as strict XML; it has no style and nothing that runs."""
    root = ET.fromstring(markup)
    for each in root.iter():
        assert each.tag in {"svg", "g", "rect", "circle", "title", "path"}
        assert not {name for name in each.attrib if name.startswith("on") or name == "style"}
    return root


def rects(root: ET.Element) -> list[ET.Element]:
    return list(root.iter("rect"))


def assert_within(root: ET.Element) -> None:
    width = float(root.attrib["width"])
    for rect in rects(root):
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert min(x, y) >= 0
        assert min(wide, high) > 0
        assert x + wide <= width
        assert y + high <= HEIGHT + 0.01


@given(st.lists(numbers, min_size=1, max_size=100))
@example([0.0])
@example([1e308, 1e308, 5e-324])
@example([float("nan"), float("inf"), -1.0])
def test_any_counts_are_drawn_within_bounds(values: list[float]) -> None:
    markup = sparkline(values)
    root = parsed(markup)
    assert len(rects(root)) == min(len(values), MAX_BARS)
    assert len(markup) < _MOST_CHARACTERS
    assert_within(root)


def test_no_counts_are_no_drawing() -> None:
    assert sparkline([]) == ""


def test_bars_are_as_high_as_their_share_of_the_highest() -> None:
    heights = [rect.attrib["height"] for rect in rects(parsed(sparkline([10, 5, 0])))]
    assert heights == ["20", "10", "2"]


def test_a_drawing_of_counts_has_a_name_that_says_the_last_and_the_most() -> None:
    name = parsed(sparkline([1, 1_200, 3], label="Failures a day")).attrib["aria-label"]
    assert name == "Failures a day: the last 3, at most 1,200 of 3"


def test_a_drawing_of_runs_has_a_name_that_says_how_they_ended() -> None:
    items = [Run("completed", 2), Run("completed", 3.21), Run("failed", 90)]
    root = parsed(runs(items))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Last runs: 2 completed, 1 failed; the latest failed, 2 min"


@pytest.mark.parametrize("text", [HOSTILE, '" onload="alert(1)', "\ud800", "\u2028\u0007"])
def test_hostile_names_are_text_and_short(text: str) -> None:
    for markup in (sparkline([1], label=text), runs([Run(text, 1)], label=text)):
        parsed(markup)
        assert len(markup) < 2_000
        assert not re.search(r"[\x00\u202e\u2028\ud800]", markup)


@given(pasts)
@example([Run(HOSTILE, float("nan"))])
def test_any_runs_are_drawn_within_bounds_with_a_path_for_each_state(items: list[Run]) -> None:
    markup = runs(items)
    if not items:
        assert not markup
        return
    root = parsed(markup)
    bars = "".join(path.attrib["d"] for path in root.iter("path"))
    assert bars.count(f"V{HEIGHT}") == min(len(items), MAX_BARS)
    assert all(0 <= float(at) <= HEIGHT for at in re.findall(r" ([-\d.]+)h", bars))
    assert len(markup) < _MOST_CHARACTERS


def test_a_bad_end_is_told_by_more_than_colour() -> None:
    marked, plain = (runs([Run(status, 1.0)]).count("z") for status in ("failed", "completed"))
    assert (marked, plain) == (2, 1)


def test_runs_weigh_little() -> None:
    items = [Run("failed" if number % 3 == 0 else "completed", number) for number in range(12)]
    assert len(runs(items)) < 800
