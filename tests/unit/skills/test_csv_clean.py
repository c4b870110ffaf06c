"""csv-clean: what comes out of messy files, and what it says about it."""

import csv
import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.skills.runs import PYTHON, SKILLS, Run, run


def clean(folder: Path, content: str | bytes, *options: str) -> Run:
    data = content.encode() if isinstance(content, str) else content
    (folder / "in.csv").write_bytes(data)
    return run("csv-clean", "in.csv", *options, cwd=folder)


def rows(folder: Path, name: str = "clean.csv") -> list[list[str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_cells_are_trimmed_and_missing_values_become_empty(tmp_path: Path) -> None:
    summary: Any = clean(tmp_path, "a,b,c\n  x ,NA,N/A\n\u00a0y\u200b,1,nan\n").summary
    assert rows(tmp_path) == [["a", "b", "c"], ["x", "", ""], ["y", "1", ""]]
    assert (summary["cells_trimmed"], summary["cells_made_missing"]) == (2, 3)


def test_spaces_stay_when_asked_to(tmp_path: Path) -> None:
    clean(tmp_path, "a,b\n  x ,1\n", "--no-strip")
    assert rows(tmp_path)[1] == ["  x ", "1"]


def test_the_missing_values_can_be_chosen_on_both_sides(tmp_path: Path) -> None:
    clean(tmp_path, "country,n\nNA,?\n", "--na", "?", "--missing-as", "null")
    assert rows(tmp_path)[1] == ["NA", "null"]


def test_empty_rows_and_columns_are_dropped_on_demand(tmp_path: Path) -> None:
    content = "a,gap,b\n1,,2\n, ,NA\n3,NA,4\n"
    summary: Any = clean(tmp_path, content, "--drop-empty").summary
    assert rows(tmp_path) == [["a", "b"], ["1", "2"], ["3", "4"]]
    assert summary["dropped_empty_rows"] == 1
    assert summary["dropped_empty_columns"] == ["gap"]
    clean(tmp_path, content)
    assert rows(tmp_path)[2] == ["", "", ""]


def test_equal_rows_are_dropped_on_demand_and_the_first_stays(tmp_path: Path) -> None:
    summary: Any = clean(tmp_path, "a,b\n1,x\n2,y\n 1,x \n1,x\n", "--dedupe").summary
    assert rows(tmp_path) == [["a", "b"], ["1", "x"], ["2", "y"]]
    assert summary["dropped_duplicate_rows"] == 2


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Body Mass (g)", "body_mass_g"),
        ("studyName", "study_name"),
        ("  Größe in %", "größe_in"),
        ("नाम", "नाम"),
        ("Delta 15 N (o/oo)", "delta_15_n_o_oo"),
        ("!!!", "column_1"),
    ],
)
def test_headers_become_snake_case(tmp_path: Path, header: str, expected: str) -> None:
    clean(tmp_path, f"{header},other\n1,2\n", "--normalise-headers")
    assert rows(tmp_path)[0] == [expected, "other"]


def test_blank_and_repeated_headers_get_names_of_their_own(tmp_path: Path) -> None:
    summary: Any = clean(tmp_path, "a,a,,a_2\n1,2,3,4\n").summary
    assert rows(tmp_path)[0] == ["a", "a_3", "column_3", "a_2"]
    assert summary["renamed_columns"] == {"a": "a_3"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom", "utf-32", "cp1252"]
)
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    text = "name,price\nMünchen,5\n"
    data = (
        b"\xfe\xff" + text.encode("utf-16-be")
        if encoding == "utf-16-be-bom"
        else text.encode(encoding)
    )
    assert clean(tmp_path, data).code == 0
    assert rows(tmp_path) == [["name", "price"], ["München", "5"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out_despite_others_in_the_cells(
    tmp_path: Path, delimiter: str
) -> None:
    cells = [["name", "amount", "note"], ["Doe, J.", "1;5", "a|b"], ["Roe; R", "2,5", "c\td"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(cells)
    assert clean(tmp_path, text.getvalue()).summary["delimiter"] == delimiter
    assert rows(tmp_path) == cells


def test_decimal_commas_are_not_taken_for_the_delimiter(tmp_path: Path) -> None:
    clean(tmp_path, "a;b\n1,5;2,5\n3,0;4,0\n")
    assert rows(tmp_path)[1] == ["1,5", "2,5"]


def test_short_rows_are_filled_and_long_rows_lose_nothing(tmp_path: Path) -> None:
    summary: Any = clean(tmp_path, "a,b\n1\n1,2,3,\n1,2,,\n").summary
    assert rows(tmp_path) == [
        ["a", "b", "column_3"],
        ["1", "", ""],
        ["1", "2", "3"],
        ["1", "2", ""],
    ]
    assert (summary["short_rows"], summary["long_rows"]) == (1, 1)
    assert summary["ragged_lines"] == [2, 3]


def test_uneven_rows_can_be_dropped(tmp_path: Path) -> None:
    summary: Any = clean(tmp_path, "a,b\n1\n1,2,3\n1,2\n", "--ragged", "drop").summary
    assert rows(tmp_path) == [["a", "b"], ["1", "2"]]
    assert summary["dropped_ragged_rows"] == 2


def test_uneven_rows_can_be_refused_with_their_line(tmp_path: Path) -> None:
    refused = clean(tmp_path, "a,b\n1,2\n1,2,3\n", "--ragged", "fail")
    assert refused.refuses("in.csv, line 3", "3 cells", "2")
    assert not (tmp_path / "clean.csv").exists()


def test_lines_above_the_header_can_be_skipped(tmp_path: Path) -> None:
    clean(tmp_path, "Report of May\n\n,,\na,b\n1,2\n", "--skip-lines", "2")
    assert rows(tmp_path) == [["a", "b"], ["1", "2"]]


def test_formulas_and_numbers_are_left_alone(tmp_path: Path) -> None:
    cells = ["=1+1", "+49", "-x", "@cmd", "007", "1,000.50"]
    text = io.StringIO()
    csv.writer(text).writerows([list("abcdef"), cells])
    clean(tmp_path, text.getvalue())
    assert rows(tmp_path)[1] == cells


def test_a_file_without_rows_keeps_its_header(tmp_path: Path) -> None:
    assert clean(tmp_path, "a,b\n", "--drop-empty").summary["rows_out"] == 0
    assert rows(tmp_path) == [["a", "b"]]


@pytest.mark.parametrize("content", ["", "\n\n", " , \n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: str) -> None:
    assert clean(tmp_path, content).refuses("in.csv", "empty")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert run("csv-clean", "no.csv", cwd=tmp_path).refuses("no.csv", "no such file")


def test_a_workbook_named_csv_is_refused(tmp_path: Path) -> None:
    assert clean(tmp_path, b"PK\x03\x04\x00\x00\x00").refuses("ZIP archive", "not CSV")


def test_a_wrong_encoding_is_refused_with_the_place(tmp_path: Path) -> None:
    refused = clean(tmp_path, "a,b\nü,1\n".encode("cp1252"), "--encoding", "utf-8")
    assert refused.refuses("in.csv", "is not utf-8 text", "--encoding")


def test_an_unknown_encoding_is_a_usage_error(tmp_path: Path) -> None:
    assert clean(tmp_path, "a,b\n", "--encoding", "nonsense").refuses("--encoding", "nonsense")


def test_an_unclosed_quote_is_refused_instead_of_swallowing_rows(tmp_path: Path) -> None:
    assert clean(tmp_path, 'a,b\n1,2\n"3,4\n5,6\n').refuses("after line 2", "quote")


def test_a_giant_field_is_refused(tmp_path: Path) -> None:
    assert clean(tmp_path, f'a,b\n1,"{"x" * 1_000_001}"\n').refuses("after line 1", "field larger")


def test_a_giant_row_is_refused(tmp_path: Path) -> None:
    assert clean(tmp_path, f"a,b\n1{',1' * 20_000}\n").refuses("line 2", "16384")


def test_csv_clean_never_overwrites_its_input(tmp_path: Path) -> None:
    refused = clean(tmp_path, "a,b\n 1,2\n", "-o", "../" + tmp_path.name + "/in.csv")
    assert refused.refuses("is the input itself")
    assert (tmp_path / "in.csv").read_text() == "a,b\n 1,2\n"


def test_a_refused_file_leaves_no_output(tmp_path: Path) -> None:
    clean(tmp_path, 'a,b\n1,2\n"3,4\n')
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_carriage_return_in_a_cell_does_not_end_the_row(tmp_path: Path) -> None:
    clean(tmp_path, 'a,b\n"x\ry",1\n')
    assert rows(tmp_path) == [["a", "b"], ["x\ny", "1"]]


def test_the_output_is_read_back_with_commas_even_when_its_cells_hold_semicolons(
    tmp_path: Path,
) -> None:
    clean(tmp_path, "a;b,gap\n1;2,\n3;4,\n", "--drop-empty", "--delimiter", ",")
    assert run("csv-profile", "clean.csv", cwd=tmp_path).summary["types"] == {"a;b": "text"}


def test_a_full_disk_leaves_no_part_of_the_output(tmp_path: Path) -> None:
    """Semicolons in the cells make it be written twice, and the second time is too much."""
    content = "a;b,gap\n" + "1;2,\n" * 2_000
    (tmp_path / "in.csv").write_text(content)
    script = SKILLS / "csv-clean" / "scripts" / "clean.py"
    limit = len(content) + 1_000
    code = (
        f"import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        f"sys.argv = ['clean.py', 'in.csv', '--delimiter', ',', '--drop-empty'];"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [str(PYTHON), "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


cells = st.one_of(
    st.sampled_from(["", " ", "NA", "x", "=1", "1;2", "a|b", "c\td", '"', "\r\n", "\ufeff", "ß"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)
tables = st.lists(st.lists(cells, min_size=1, max_size=5), min_size=1, max_size=6)
flags = st.sets(st.sampled_from(["--drop-empty", "--dedupe", "--normalise-headers", "--no-strip"]))


@settings(max_examples=30, deadline=None)
@given(table=tables, chosen=flags, delimiter=st.sampled_from(",;\t"))
def test_cleaning_twice_is_cleaning_once(
    tmp_path_factory: pytest.TempPathFactory,
    table: list[list[str]],
    chosen: set[str],
    delimiter: str,
) -> None:
    folder = tmp_path_factory.mktemp("twice")
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    first = clean(folder, text.getvalue(), *chosen)
    if first.code != 0:
        assert first.refuses("in.csv")
        return
    assert run("csv-clean", "clean.csv", "-o", "twice.csv", *chosen, cwd=folder).code == 0
    assert (folder / "twice.csv").read_bytes() == (folder / "clean.csv").read_bytes()
