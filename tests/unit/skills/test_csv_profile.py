"""csv-profile: types, figures and notes."""

import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.skills.runs import Run, run


def profile(folder: Path, content: str, *options: str) -> Run:
    (folder / "in.csv").write_text(content, encoding="utf-8")
    return run("csv-profile", "in.csv", *options, cwd=folder)


def column(folder: Path, content: str, *options: str) -> Any:
    """The profile of the first column."""
    assert profile(folder, content, *options).code == 0
    return json.loads((folder / "profile.json").read_text())["columns"][0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", "+3", "0"], "int"),
        (["1", "2.5", "1e3", ".5"], "float"),
        (["1", "NA", "", "2"], "int"),
        (["true", "No", "YES"], "bool"),
        (["2024-01-31", "1999-12-01"], "date"),
        (["2024-01-31T12:00:00Z", "2024-01-31 12:00"], "datetime"),
        (["2024-01-31", "2024-01-31 12:00"], "datetime"),
        (["2024-02-30"], "text"),
        (["31/01/2024"], "date"),
        (["00123", "00124"], "text"),
        (["1234567890123456789"], "text"),
        (["1_000"], "text"),
        (["1e999"], "text"),
        (["inf"], "text"),
        (["١٢"], "text"),
        (["1", "x"], "text"),
        (["NA", ""], "empty"),
    ],
)
def test_a_column_has_the_narrowest_type_of_all_its_values(
    tmp_path: Path, values: list[str], expected: str
) -> None:
    content = "a,b\n" + "".join(f"{value},x\n" for value in values)
    assert column(tmp_path, content)["type"] == expected


def test_missing_and_distinct_values_are_counted(tmp_path: Path) -> None:
    found = column(tmp_path, "a,b\nx,1\nNA,2\n  ,3\nx,4\ny,5\n")
    assert (found["present"], found["missing"], found["distinct"]) == (3, 2, 2)
    assert found["summary"]["top"] == [["x", 2], ["y", 1]]


def test_dates_have_a_range_in_time_and_not_in_text(tmp_path: Path) -> None:
    found = column(tmp_path, "a,b\n2024-01-01T01:00+02:00,1\n2023-12-31T23:30Z,2\n")
    assert found["summary"] == {"min": "2024-01-01T01:00+02:00", "max": "2023-12-31T23:30Z"}


def test_long_values_are_told_apart_but_not_kept(tmp_path: Path) -> None:
    found = column(tmp_path, f"a,b\n{'x' * 5000}1,1\n{'x' * 5000}2,2\n")
    assert found["distinct"] == 2
    assert found["summary"]["longest"] == 5001
    assert all(len(value) < 150 for value, _ in found["summary"]["top"])


def test_beyond_the_limit_distinct_values_are_a_lower_bound(tmp_path: Path) -> None:
    found = column(tmp_path, "a,b\n" + "".join(f"v{n},1\n" for n in range(50_001)))
    assert found["distinct"] == 50_000
    assert found["distinct_is_at_least"] is True


def test_the_notes_name_what_a_reader_should_know(tmp_path: Path) -> None:
    content = "id,same,none,mostly\n" + "".join(f"{n},x,,{n}\n" for n in range(20)) + "20,x,,?,9\n"
    notes = " ".join(profile(tmp_path, content).summary["notes"])
    for words in ("id differs", "same has one", "none has no", "mostly is int", "1 rows have"):
        assert words in notes


def test_the_markdown_escapes_what_the_cells_hold(tmp_path: Path) -> None:
    profile(tmp_path, 'a|b,c\n"<script>|`x`",1\n')
    text = (tmp_path / "profile.md").read_text()
    assert r"a\|b" in text
    assert "<script" not in text
    assert r"\`x\`" in text


def test_the_same_file_gives_the_same_profile(tmp_path: Path) -> None:
    content = "a,b\n" + "".join(f"{n % 97},{n % 7}x\n" for n in range(500))
    profile(tmp_path, content)
    first = (tmp_path / "profile.json").read_bytes()
    profile(tmp_path, content)
    assert (tmp_path / "profile.json").read_bytes() == first


def test_extreme_numbers_do_not_break_the_json(tmp_path: Path) -> None:
    found = column(tmp_path, "a,b\n1e308,1\n-1e308,1\n1e308,1\n")
    assert found["summary"]["std"] is None
    assert found["summary"]["max"] == 1e308


@pytest.mark.parametrize(("content", "words"), [("", "empty"), ('a,b\n"1,2\n', "quote")])
def test_a_broken_file_is_refused(tmp_path: Path, content: str, words: str) -> None:
    assert profile(tmp_path, content).refuses("in.csv", words)
    assert not (tmp_path / "profile.json").exists()


numbers = st.lists(
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3)),
    min_size=2,
    max_size=60,
)


@settings(max_examples=25, deadline=None)
@given(values=numbers)
def test_the_figures_agree_with_the_statistics_module(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    content = "a,b\n" + "".join(f"{value!r},x\n" for value in values)
    summary = column(tmp_path_factory.mktemp("numbers"), content)["summary"]
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    close = {"rel_tol": 1e-9, "abs_tol": 1e-5}
    for share in (5, 25, 50, 75, 95):
        assert math.isclose(summary["quantiles"][f"p{share}"], cuts[share - 1], **close)
    assert math.isclose(summary["mean"], statistics.fmean(values), **close)
    assert math.isclose(summary["std"], statistics.stdev(values), **close)
    assert (summary["min"], summary["max"]) == (min(values), max(values))
    assert sum(summary["histogram"]) == len(values)
    assert summary["approximate"] is False
