"""chart: both pictures, the figures behind them, and what it chooses by itself."""

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.unit.skills.runs import Draw, Run, run

Chart = Callable[..., Run]

SALES = "region,when,units,price\n" + "".join(
    f"{'NSW'[n % 3]},2024-{n % 12 + 1:02d}-15,{n},{n * 1.5}\n" for n in range(60)
)


@pytest.fixture
def chart(tmp_path: Path, draw: Draw) -> Chart:
    def chart(content: str | bytes, *options: str) -> Run:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "in.csv").write_bytes(data)
        return draw("in.csv", *options, cwd=tmp_path)

    return chart


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.mark.parametrize(
    "options",
    [
        ["--kind", "bar", "--x", "region", "--y", "units", "--aggregate", "sum"],
        ["--kind", "bar", "--x", "region", "--group", "when"],
        ["--kind", "line", "--x", "when", "--y", "units", "--group", "region"],
        ["--kind", "scatter", "--x", "units", "--y", "price", "--group", "region"],
        ["--kind", "hist", "--x", "price", "--bins", "7"],
        ["--kind", "hist", "--x", "price", "--group", "region"],
        ["--kind", "box", "--x", "region", "--y", "units"],
        ["--kind", "box", "--y", "units", "--group", "region"],
    ],
)
def test_each_kind_makes_a_png_and_an_svg(chart: Chart, tmp_path: Path, options: list[str]) -> None:
    summary: Any = chart(SALES, *options, "-o", "out").summary
    assert summary["files"] == ["out.png", "out.svg"]
    assert png_size(tmp_path / "out.png") == (1280, 800)
    assert ElementTree.parse(tmp_path / "out.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("sum", 6.0), ("mean", 2.0), ("median", 1.0), ("count", 3)],
)
def test_bars_show_the_aggregate(chart: Chart, aggregate: str, expected: float) -> None:
    content = "k,v\na,1\na,1\na,4\nb,9\n"
    options = ("--kind", "bar", "--x", "k", "--y", "v", "--aggregate", aggregate)
    assert chart(content, *options).summary["values"]["all"]["a"] == expected


@pytest.mark.parametrize(
    ("content", "kind", "x", "y"),
    [
        (SALES, "line", "when", "units"),
        ("id,kind,size\n1,a,5\n2,b,6\n3,a,7\n", "bar", "kind", None),
        ("city,people\nRome,3\nOslo,1\n", "bar", "city", "people"),
        ("a,b\n1,2\n2,4\n3,5\n", "scatter", "a", "b"),
        ("a\n1\n2\n3\n", "hist", "a", None),
    ],
)
def test_the_kind_of_chart_is_chosen_to_fit_the_columns(
    chart: Chart, content: str, kind: str, x: str, y: str | None
) -> None:
    summary: Any = chart(content).summary
    assert (summary["kind"], summary["x"], summary["y"]) == (kind, x, y)


def test_rows_that_lack_a_value_are_left_out_and_counted(chart: Chart) -> None:
    content = "k,v\n" + "a,1\nb,2\n" * 10 + "c,NA\n,4\nd,oops\n"
    summary: Any = chart(content, "--kind", "bar", "--x", "k", "--y", "v").summary
    assert (summary["rows"], summary["rows_drawn"]) == (23, 20)


def test_beyond_seven_groups_the_small_ones_are_drawn_together(chart: Chart) -> None:
    content = "g,v\n" + "".join(f"g{n},{n}\n" * (12 - n) for n in range(12))
    options = ("--kind", "bar", "--x", "g", "--y", "v", "--group", "g")
    groups = list(chart(content, *options).summary["values"])
    assert groups == ["g0", "g1", "g2", "g3", "g4", "g5", "Other"]


def test_a_chart_draws_only_the_greatest_bars_and_says_so(chart: Chart) -> None:
    content = "k,v\n" + "".join(f"k{n},{n}\n" for n in range(100))
    summary: Any = chart(content, "--kind", "bar", "--x", "k", "--y", "v", "--top", "5").summary
    assert (summary["categories"], summary["categories_shown"]) == (100, 5)
    assert list(summary["values"]["all"]) == ["k99", "k98", "k97", "k96", "k95"]


def test_numbers_as_categories_keep_their_order(chart: Chart) -> None:
    summary: Any = chart("year,v\n2010,1\n2009,5\n2011,3\n", "--kind", "bar", "--x", "year").summary
    assert list(summary["values"]["all"]) == ["2009", "2010", "2011"]


def test_text_from_the_data_is_drawn_and_not_interpreted(chart: Chart, tmp_path: Path) -> None:
    hostile = 'k,v\n"<script>alert(1)</script>",1\n"$\\frac{1}{$",2\n"]]>&amp;",3\n'
    done = chart(hostile, "--kind", "bar", "--x", "k", "--y", "v", "--title", "$x$ <b>$")
    assert done.code == 0, done.stderr
    svg = (tmp_path / "chart.svg").read_text()
    assert ElementTree.fromstring(svg) is not None
    assert "<script" not in svg


def test_the_same_data_gives_the_same_bytes_and_no_font_cache_is_left_behind(
    tmp_path: Path, chart_python: Path
) -> None:
    (tmp_path / "in.csv").write_text(SALES)
    names = ("chart.png", "chart.svg")
    made = []
    for seed in ("1", "2"):  # of the order of sets, which differs from run to run
        done = run("chart", "in.csv", cwd=tmp_path, python=chart_python, PYTHONHASHSEED=seed)
        assert done.code == 0, done.stderr
        made.append([(tmp_path / name).read_bytes() for name in names])
    assert made[0] == made[1]
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", *names}


def test_many_points_do_not_make_a_giant_svg(chart: Chart, tmp_path: Path) -> None:
    draw = random.Random(0)
    content = "a,b\n" + "".join(f"{draw.random()},{draw.random()}\n" for _ in range(20_000))
    assert chart(content, "--kind", "scatter").code == 0
    assert (tmp_path / "chart.svg").stat().st_size < 2_000_000


def test_characters_without_a_glyph_are_noted(chart: Chart) -> None:
    done = chart("k,v\n\U00013000,1\nb,2\n", "--kind", "bar")
    assert ["boxes" in note for note in done.summary["notes"]] == [True]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("", [], ["empty"]),
        ("a,b\n", [], ["no rows"]),
        (SALES, ["--x", "regoin"], ["'regoin'", "'region'", "units"]),
        (SALES, ["--kind", "scatter", "--x", "region"], ["--x 'region'", "holds text"]),
        (SALES, ["--kind", "hist", "--aggregate", "sum"], ["--aggregate", "hist"]),
        ("a,b\nx,NA\ny,\n", ["--x", "a", "--y", "b", "--kind", "bar"], ["'b'", "holds empty"]),
        ("a\nx\n", ["--kind", "scatter"], ["no column", "a (text)"]),
        (SALES, ["--bins", "0"], ["--bins", "from 1 to 500"]),
        (SALES, ["--width", "1e9"], ["--width"]),
        (b"\x89PNG\x00", [], ["not a text file"]),
    ],
)
def test_data_that_cannot_be_drawn_is_refused(
    chart: Chart, content: str | bytes, options: list[str], words: list[str]
) -> None:
    assert chart(content, *options).refuses(*words)


def test_chart_without_matplotlib_says_how_to_run_it(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(SALES)
    assert run("chart", "in.csv", cwd=tmp_path).refuses("matplotlib is missing", "uv run")
