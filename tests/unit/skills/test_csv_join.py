"""csv-join: every kind of join, against a naive one, and what it reports."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.skills.runs import Run, run

Rows = list[list[str]]


def write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def join(folder: Path, *options: str, **files: Sequence[Sequence[str]]) -> Run:
    for name, rows in files.items():
        write(folder / f"{name}.csv", rows)
    return run("csv-join", *(f"{name}.csv" for name in files), *options, cwd=folder)


ORDERS = [["order", "customer"], ["1", "a"], ["2", "b"], ["3", "a"], ["4", ""], ["5", "z"]]
CUSTOMERS = [["customer", "name"], ["a", "Ann"], ["b", "Bob"], ["c", "Cy"], ["", "nobody"]]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("inner", [["1", "a", "Ann"], ["2", "b", "Bob"], ["3", "a", "Ann"]]),
        ("left", [["1", "a", "Ann"], ["2", "b", "Bob"], ["3", "a", "Ann"], ["4", "", ""],
                  ["5", "z", ""]]),
        ("right", [["1", "a", "Ann"], ["2", "b", "Bob"], ["3", "a", "Ann"], ["", "c", "Cy"],
                   ["", "", "nobody"]]),
        ("outer", [["1", "a", "Ann"], ["2", "b", "Bob"], ["3", "a", "Ann"], ["4", "", ""],
                   ["5", "z", ""], ["", "c", "Cy"], ["", "", "nobody"]]),
    ],
)  # fmt: skip
def test_each_kind_of_join_gives_its_rows(tmp_path: Path, how: str, expected: Rows) -> None:
    done = join(tmp_path, "--on", "customer", "--how", how, orders=ORDERS, customers=CUSTOMERS)
    assert done.summary["rows"] == len(expected)
    assert read(tmp_path / "joined.csv") == [["order", "customer", "name"], *expected]


def test_the_report_says_how_the_files_met(tmp_path: Path) -> None:
    summary: Any = join(tmp_path, "--on", "customer", orders=ORDERS, customers=CUSTOMERS).summary
    [report] = summary["joins"]
    assert (report["left_rows_matched"], report["left_rows_unmatched"]) == (3, 2)
    assert report["right_rows_unmatched"] == 2
    assert (report["left_rows_without_key"], report["right_rows_without_key"]) == (1, 1)
    assert report["left_unmatched_examples"] == [[""], ["z"]]
    assert report["right_unmatched_examples"] == [["c"]]
    assert report["many_to_many_keys"] == 0


def test_keys_may_have_different_names(tmp_path: Path) -> None:
    right = [["id", "name"], ["a", "Ann"]]
    join(tmp_path, "--on", "customer=id", orders=ORDERS[:2], right=right)
    assert read(tmp_path / "joined.csv") == [["order", "customer", "name"], ["1", "a", "Ann"]]


def test_several_columns_can_be_the_key(tmp_path: Path) -> None:
    left = [["y", "r", "n"], ["1", "a", "x"], ["1", "b", "y"]]
    right = [["r", "year", "m"], ["a", "1", "p"], ["b", "2", "q"]]
    join(tmp_path, "--on", "y=year,r", left=left, right=right)
    assert read(tmp_path / "joined.csv") == [["y", "r", "n", "m"], ["1", "a", "x", "p"]]


def test_clashing_columns_get_a_suffix_and_the_left_names_stay(tmp_path: Path) -> None:
    left, right = [["id", "v", "v_b"], ["1", "x", "y"]], [["id", "v"], ["1", "z"]]
    summary: Any = join(tmp_path, "--on", "id", a=left, b=right).summary
    assert summary["columns"] == ["id", "v", "v_b", "v_b_2"]
    assert summary["joins"][0]["renamed_columns"] == {"v": "v_b_2"}
    renamed: Any = join(tmp_path, "--on", "id", "--suffix", "_r", a=left, b=right).summary
    assert renamed["columns"][3] == "v_r"


def test_three_files_are_joined_from_left_to_right(tmp_path: Path) -> None:
    a = [["id", "x"], ["1", "p"], ["2", "q"]]
    b = [["id", "g"], ["1", "G"], ["2", "H"]]
    c = [["group", "name"], ["G", "Gamma"]]
    done = join(tmp_path, "--on", "id", "--on", "g=group", "--how", "left", a=a, b=b, c=c)
    assert done.summary["rows"] == 2
    assert read(tmp_path / "joined.csv")[1:] == [["1", "p", "G", "Gamma"], ["2", "q", "H", ""]]


def test_keys_that_repeat_on_both_sides_are_reported(tmp_path: Path) -> None:
    left, right = [["k", "a"], ["1", "x"], ["1", "y"]], [["k", "b"], ["1", "p"], ["1", "q"]]
    summary: Any = join(tmp_path, "--on", "k", left=left, right=right).summary
    assert summary["rows"] == 4
    assert summary["joins"][0]["many_to_many_keys"] == 1
    assert summary["joins"][0]["many_to_many_examples"] == [["1"]]


def test_a_join_that_explodes_is_stopped(tmp_path: Path) -> None:
    left, right = [["k", "a"]] + [["1", "x"]] * 50, [["k", "b"]] + [["1", "p"]] * 50
    refused = join(tmp_path, "--on", "k", "--max-rows", "100", left=left, right=right)
    assert refused.refuses("more than 100 rows", "--max-rows")
    assert {path.name for path in tmp_path.iterdir()} == {"left.csv", "right.csv"}


def test_case_can_be_ignored(tmp_path: Path) -> None:
    left, right = [["k", "a"], ["Ab", "x"]], [["k", "b"], ["aB", "p"]]
    assert join(tmp_path, "--on", "k", left=left, right=right).summary["rows"] == 0
    join(tmp_path, "--on", "k", "--ignore-case", left=left, right=right)
    assert read(tmp_path / "joined.csv")[1] == ["Ab", "x", "p"]


def test_files_of_different_encoding_and_delimiter_meet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("k;ü\nß;1\n".encode("cp1252"))
    (tmp_path / "b.csv").write_bytes("k\tv\nß\t2\n".encode("utf-16"))
    assert run("csv-join", "a.csv", "b.csv", "--on", "k", cwd=tmp_path).summary["rows"] == 1
    assert read(tmp_path / "joined.csv") == [["k", "ü", "v"], ["ß", "1", "2"]]


def test_a_missing_key_column_is_refused_with_the_columns_there_are(tmp_path: Path) -> None:
    refused = join(tmp_path, "--on", "nope", orders=ORDERS, customers=CUSTOMERS)
    assert refused.refuses("customers.csv", "'nope'", "customer, name")


def test_a_long_row_is_refused_because_it_may_be_shifted(tmp_path: Path) -> None:
    refused = join(tmp_path, "--on", "k", a=[["k", "v"], ["1", "2", "3"]], b=[["k"], ["1"]])
    assert refused.refuses("a.csv, row 1", "3 cells")


def test_the_output_may_not_be_an_input(tmp_path: Path) -> None:
    refused = join(tmp_path, "--on", "customer", "-o", "orders.csv", orders=ORDERS, b=CUSTOMERS)
    assert refused.refuses("orders.csv", "inputs")
    assert read(tmp_path / "orders.csv") == ORDERS


def test_one_file_is_a_usage_error(tmp_path: Path) -> None:
    assert join(tmp_path, "--on", "customer", orders=ORDERS).refuses("at least one other")


@pytest.mark.parametrize("keys", ["", "a,", "=b"])
def test_an_incomplete_key_is_a_usage_error(tmp_path: Path, keys: str) -> None:
    assert join(tmp_path, "--on", keys, orders=ORDERS, b=CUSTOMERS).refuses("left_key=right_key")


def test_keys_for_only_some_files_are_refused(tmp_path: Path) -> None:
    done = join(tmp_path, "--on", "k", "--on", "k", a=[["k"]], b=[["k"]], c=[["k"]], d=[["k"]])
    assert done.refuses("2 times", "3 files")


def naive(left: Rows, right: Rows, how: str) -> Rows:
    joined = [[k, a, b] for k, a in left for key, b in right if k == key != ""]
    left_keys, right_keys = {k for k, _ in left} - {""}, {k for k, _ in right} - {""}
    if how in ("left", "outer"):
        joined += [[k, a, ""] for k, a in left if k not in right_keys]
    if how in ("right", "outer"):
        joined += [[k, "", b] for k, b in right if k not in left_keys]
    return sorted(joined)


sides = st.lists(
    st.tuples(st.sampled_from(["", "1", "2", "01", "ß", "a,b", 'q"']), st.sampled_from("xyz")),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(left=sides, right=sides, how=st.sampled_from(["inner", "left", "right", "outer"]))
def test_the_join_agrees_with_a_naive_one(
    tmp_path_factory: pytest.TempPathFactory,
    left: list[tuple[str, str]],
    right: list[tuple[str, str]],
    how: str,
) -> None:
    folder = tmp_path_factory.mktemp("join")
    files = {"left": [("k", "a"), *left], "right": [("k", "b"), *right]}
    assert join(folder, "--on", "k", "--how", how, **files).code == 0
    got = read(folder / "joined.csv")
    assert got[0] == ["k", "a", "b"]
    assert sorted(got[1:]) == naive([[*row] for row in left], [[*row] for row in right], how)
