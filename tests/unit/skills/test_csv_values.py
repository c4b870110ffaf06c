"""How the CSV skills read files from spreadsheets and people: numbers, dates, months, accents."""

import csv
import io
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.skills.runs import Draw, run


def write(path: Path, columns: dict[str, Sequence[str]], encoding: str = "utf-8") -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_bytes(text.getvalue().encode(encoding))


def cleaned(folder: Path, columns: dict[str, Sequence[str]], *options: str) -> tuple[Any, Any]:
    """The columns as csv-clean writes them, and its notes by the name of the column."""
    write(folder / "in.csv", columns)
    summary: Any = run("csv-clean", "in.csv", *options, cwd=folder).summary
    with (folder / "clean.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    notes = {note.partition(" ")[0]: note for note in summary["notes"]}
    return dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True)), notes


def profiled(folder: Path, columns: dict[str, Sequence[str]], *options: str) -> Any:
    write(folder / "in.csv", columns)
    summary: Any = run("csv-profile", "in.csv", *options, cwd=folder).summary
    whole = json.loads((folder / "profile.json").read_text())
    return summary, {column["name"]: column for column in whole["columns"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_excel_s_sep_line_names_the_delimiter_and_is_no_row(
    tmp_path: Path, encoding: str, end: str
) -> None:
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    text = end.join([f"{mark}sep=;", "name;price", "Zoë;1,50", "Bob;2,25", ""])
    (tmp_path / "in.csv").write_bytes(text.encode(encoding))
    summary: Any = run("csv-clean", "in.csv", cwd=tmp_path).summary
    assert summary["delimiter"] == ";"
    assert (tmp_path / "clean.csv").read_text() == 'name,price\nZoë,"1,50"\nBob,"2,25"\n'


@pytest.mark.parametrize(
    ("line", "separator"),
    [("sep=,", ","), ("SEP=\t", "\t"), ("sep=^", "^"), ('"sep=;"', ";"), ("sep=;;;", ";"),
     ("sep=:", ":"), ("sep= ", " "), ("sep=|,,", "|")],
)  # fmt: skip
def test_any_separator_can_be_named(tmp_path: Path, line: str, separator: str) -> None:
    (tmp_path / "in.csv").write_text(f"{line}\na{separator}b\n1{separator}2\n")
    assert run("csv-clean", "in.csv", cwd=tmp_path).summary["columns"] == ["a", "b"]


def test_a_sep_line_counts_as_a_line_where_lines_are_named(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("sep=;\na;b\n1;2;3\n")
    assert run("csv-clean", "in.csv", "--ragged", "fail", cwd=tmp_path).refuses("line 3")


def test_a_column_named_sep_is_no_sep_line(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("sep=x1,b\n1,2\n")
    assert run("csv-clean", "in.csv", cwd=tmp_path).summary["columns"] == ["sep=x1", "b"]


NUMBERS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "comma": (["1,5", "2,25", "7"], ["1.5", "2.25", "7"]),
    "thousands": (["1.234,50", "1.000.000,00", "0,5"], ["1234.50", "1000000.00", "0.5"]),
    "us": (["1,234.50", "1,000,000", "0.5"], ["1234.50", "1000000", "0.5"]),
    "spaces": (["1 234,50", "1\u00a0000\u00a0000", "12,5"], ["1234.50", "1000000", "12.5"]),
    "thin": (["1\u202f234,5", "1\u2009000", "0,25"], ["1234.5", "1000", "0.25"]),
    "apostrophe": (["1'234.50", "1’000", "2"], ["1234.50", "1000", "2"]),
    "india": (["12,34,567.5", "1,00,000", "10"], ["1234567.5", "100000", "10"]),
    "euro": (["1.234,50 €", "€ 5,00", "-3,1€"], ["1234.50", "5.00", "-3.1"]),
    "dollar": (["$1,234.50", "-$5", "$-6.25"], ["1234.50", "-5", "-6.25"]),
    "code": (["CHF 1'200.00", "5.5 CHF", "CHF 7"], ["1200.00", "5.5", "7"]),
    "percent": (["12 %", "13,5%", "-1 %"], ["12", "13.5", "-1"]),
    "accounting": (["(1 234,50)", "(0,50)", "7,00"], ["-1234.50", "-0.50", "7.00"]),
    "dollars": (["($1,234.50)", "$(5.00)", "$7.00"], ["-1234.50", "-5.00", "7.00"]),
    "trailing": (["5,0-", "1.234-", "2,5"], ["-5.0", "-1234", "2.5"]),
    "minus": (["\u22121,5", "\u22122,0", "+3,5"], ["-1.5", "-2.0", "3.5"]),
    "exact": (["0,1000000000000000055", "2,50", "1,"], ["0.1000000000000000055", "2.50", "1."]),
}


def test_numbers_of_each_way_of_writing_are_written_plainly_on_demand(tmp_path: Path) -> None:
    columns = {name: written for name, (written, _) in NUMBERS.items()}
    found, notes = cleaned(tmp_path, columns, "--decimal", "auto")
    assert found == {name: NUMBERS[name][1] for name in columns}
    assert set(notes) == set(columns), "each is said"
    assert "1.234,50 € is 1234.50" in notes["euro"]


def test_clean_says_how_numbers_are_written_and_leaves_them(tmp_path: Path) -> None:
    found, notes = cleaned(tmp_path, {"price": ["1,50", "2,25"], "n": ["1", "2"]})
    assert found["price"] == ["1,50", "2,25"]
    assert "decimal commas" in notes["price"]
    assert "--decimal auto" in notes["price"]
    assert "n" not in notes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1.234", "5.678"], "--decimal comma"),
        (["1,234", "5,678"], "--decimal comma"),
        (["1,5", "2.5"], "decimal points (2.5)"),
        (["$5.00", "€6.00"], "several currencies"),
        (["5%", "0.5"], "percentages and other numbers"),
        (["01/02/2024", "03/04/2024"], "--dates day-first"),
        (["31/01/2024", "01/31/2024"], "--dates day-first"),
    ],
)
def test_values_that_can_be_read_in_two_ways_are_left_and_said(
    tmp_path: Path, values: list[str], words: str
) -> None:
    columns = {"a": values, "b": ["x", "y"]}
    found, notes = cleaned(tmp_path, columns, "--decimal", "auto", "--dates", "auto")
    assert found["a"] == values
    assert words in notes["a"]


@pytest.mark.parametrize(
    "values",
    [
        ["007", "012"],
        ["192.168.1.1", "10.0.0.1"],
        ["1234567890123456789", "5"],
        ["A1", "1,5"],
        ["1-2", "3-4"],
        ["1,2,3", "4,5"],
        ["(030) 123 456", "(040) 654 321"],
        ["12:30", "13:45"],
        ["-", "1,5"],
        ["1 2", "3 4"],
        ["May", "June"],
    ],
)
def test_what_is_no_quantity_stays_to_the_letter(tmp_path: Path, values: list[str]) -> None:
    columns = {"a": values, "b": ["x", "y"]}
    options = ("--decimal", "comma", "--dates", "day-first")
    assert cleaned(tmp_path, columns, *options)[0]["a"] == values


@pytest.mark.parametrize(
    ("values", "decimal", "expected"),
    [
        (["1.234", "5.678"], "comma", ["1234", "5678"]),
        (["1,234", "5,678"], "comma", ["1.234", "5.678"]),
        (["1,234", "5,678"], "point", ["1234", "5678"]),
        (["1.234", "5.678"], "point", ["1.234", "5.678"]),
    ],
)
def test_the_user_decides_what_a_separator_means(
    tmp_path: Path, values: list[str], decimal: str, expected: list[str]
) -> None:
    columns = {"a": values, "b": ["x", "y"]}
    assert cleaned(tmp_path, columns, "--decimal", decimal)[0]["a"] == expected


DATES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "day": (["31/01/2024", "02/03/2024"], ["2024-01-31", "2024-03-02"]),
    "month": (["01/31/2024", "02/03/2024"], ["2024-01-31", "2024-02-03"]),
    "points": (["31.1.2024", "2.3.2024"], ["2024-01-31", "2024-03-02"]),
    "clock": (["31.01.2024 9:05", "02.03.2024 14:05:30"],
              ["2024-01-31 09:05", "2024-03-02 14:05:30"]),
    "half": (["1/31/2024 2:05 PM", "2/3/2024 12:00 AM"], ["2024-01-31 14:05", "2024-02-03 00:00"]),
    "named": (["31 Jan 2024", "2. März 2024"], ["2024-01-31", "2024-03-02"]),
    "american": (["January 31, 2024", "Mar 2 2024"], ["2024-01-31", "2024-03-02"]),
    "slashes": (["2024/01/31", "2024/3/2"], ["2024-01-31", "2024-03-02"]),
    "months": (["Jan 2024", "März 2024"], ["2024-01", "2024-03"]),
}  # fmt: skip


def test_dates_of_each_way_of_writing_are_written_with_the_year_first_on_demand(
    tmp_path: Path,
) -> None:
    columns = {name: written for name, (written, _) in DATES.items()}
    found, notes = cleaned(tmp_path, columns, "--dates", "auto")
    assert found == {name: expected for name, (_, expected) in DATES.items()}
    assert set(notes) == set(columns)


def test_the_profile_reads_numbers_and_dates_as_people_write_them(tmp_path: Path) -> None:
    columns = {"price": ["1.234,50 €", "5,25 €"], "day": ["13.01.2026", "02.03.2026"]}
    summary, found = profiled(tmp_path, columns)
    assert summary["types"] == {"price": "float", "day": "date"}
    assert found["price"]["summary"]["max"] == 1234.5
    assert found["day"]["summary"] == {"min": "2026-01-13", "max": "2026-03-02"}
    assert any("decimal commas" in note for note in summary["notes"])
    assert any("day-first" in note for note in summary["notes"])


def test_dates_that_may_be_either_are_text_until_the_user_decides(tmp_path: Path) -> None:
    columns = {"d": ["01/02/2026", "03/04/2026"], "x": ["a", "b"]}
    summary, _ = profiled(tmp_path, columns)
    assert summary["types"]["d"] == "text"
    assert any("--dates" in note for note in summary["notes"])
    _, found = profiled(tmp_path, columns, "--dates", "month-first")
    assert found["d"]["summary"] == {"min": "2026-01-02", "max": "2026-03-04"}


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("2024-01-{:02d}", "2024-02-30", "date"),
        ("{:02d}/01/2024", "30/02/2024", "date"),
        ("2024-01-{:02d}", "unknown", "date"),
        ("2024-01-{:02d} 12:00", "2024-01-05 25:00", "datetime"),
        ("{}", "?", "int"),
        ("{}.5", "n.a.", "float"),
        ("{},5", "n.a.", "float"),
    ],
)
def test_one_odd_value_among_many_is_a_note_and_not_another_type(
    tmp_path: Path, good: str, bad: str, expected: str
) -> None:
    values = [good.format(n) for n in range(1, 29)] + [bad]
    summary, found = profiled(tmp_path, {"a": values, "b": values})
    assert summary["types"]["a"] == expected
    told = [note for note in summary["notes"] if note.startswith("a is")]
    assert len(told) == 1
    assert "1 of 29" in told[0]
    assert bad in told[0]
    assert found["a"]["kinds"]["text"] == 1


def test_codes_among_numbers_keep_their_column_text(tmp_path: Path) -> None:
    summary, _ = profiled(tmp_path, {"zip": [str(n) for n in range(10000, 10028)] + ["01234"]})
    assert summary["types"] == {"zip": "text"}


def test_months_are_profiled_in_the_order_of_the_calendar(tmp_path: Path) -> None:
    months = ["Mär", "Jan", "Feb", "Mär", "Dez"]
    _, found = profiled(tmp_path, {"m": months, "x": months})
    assert found["m"]["summary"]["top"] == [["Jan", 1], ["Feb", 1], ["Mär", 2], ["Dez", 1]]


@pytest.mark.parametrize(
    "months",
    [
        ["Jan", "Feb", "Mar", "Dec"],
        ["january", "february", "march", "december"],
        ["Januar", "Februar", "März", "Dezember"],
        ["janv.", "févr.", "mars", "déc."],
        ["enero", "febrero", "marzo", "diciembre"],
        ["январь", "февраль", "март", "декабрь"],
        ["2026-01", "2026-02", "2026-03", "2026-12"],
        ["Nov 2025", "Dec 2025", "Jan 2026", "Feb 2026"],
        ["Dec-25", "Jan-26", "Feb-26", "Mar-26"],
        ["Mon", "Tue", "Fri", "Sun"],
    ],
)
def test_bars_of_months_are_in_the_order_of_the_calendar(
    tmp_path: Path, draw: Draw, months: list[str]
) -> None:
    write(tmp_path / "in.csv", {"when": months[::-1], "v": ["9", "1", "5", "2"]})
    done = draw("in.csv", "--kind", "bar", "--x", "when", "--y", "v", cwd=tmp_path)
    shown = list(done.summary["values"]["all"].values())
    assert shown == [2.0, 5.0, 1.0, 9.0]


def test_the_chart_reads_decimal_commas_and_says_so(tmp_path: Path, draw: Draw) -> None:
    write(tmp_path / "in.csv", {"k": ["a", "b"], "price": ["1.234,50 €", "2,25 €"]})
    done = draw("in.csv", "--kind", "bar", cwd=tmp_path)
    assert done.summary["values"]["all"] == {"a": 1234.5, "b": 2.25}
    assert any("decimal commas" in note for note in done.summary["notes"])


def test_accents_of_either_code_are_equal_in_keys_and_headers(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "Zoë Müller") for form in ("NFC", "NFD"))
    write(tmp_path / "a.csv", {unicodedata.normalize("NFD", "schlüssel"): [one], "v": ["1"]})
    write(tmp_path / "b.csv", {"schlüssel": [two], "w": ["2"]})
    on = unicodedata.normalize("NFD", "schlüssel")
    done = run("csv-join", "a.csv", "b.csv", "--on", on, cwd=tmp_path)
    assert (done.summary["rows"], done.summary["columns"]) == (1, ["schlüssel", "v", "w"])
    assert one in (tmp_path / "joined.csv").read_text(encoding="utf-8"), "the left cell as it is"


def test_the_report_aligns_numbers_as_people_write_them(tmp_path: Path) -> None:
    write(tmp_path / "in.csv", {"name": ["a"], "price": ["1.234,50 €"], "n": ["5"]})
    assert run("report", "in.csv", cwd=tmp_path).code == 0
    assert "| :-- | --: | --: |".replace(" ", "") in (
        (tmp_path / "report.md").read_text().replace(" ", "")
    )


@settings(max_examples=12, deadline=None)
@given(
    values=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=40),
    group=st.sampled_from([".", " ", "\u00a0", "\u202f", "'", ""]),
    sign=st.sampled_from(["-{}", "({})", "{}-", "\u2212{}"]),
    unit=st.sampled_from(["{}", "{} €", "€{}", "{} %"]),
)
def test_numbers_written_with_commas_come_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[Any],
    group: str,
    sign: str,
    unit: str,
) -> None:
    folder = tmp_path_factory.mktemp("written")

    def written(value: Any) -> str:
        text = f"{abs(value):,.2f}".replace(",", "_").replace(".", ",").replace("_", group)
        number = unit.format(text)
        return sign.format(number) if value < 0 else number

    columns = {"a": [written(value) for value in values], "b": ["x"] * len(values)}
    found, _ = cleaned(folder, columns, "--decimal", "auto")
    assert found["a"] == [f"{value + 0:.2f}".replace("-0.00", "0.00") for value in values]
