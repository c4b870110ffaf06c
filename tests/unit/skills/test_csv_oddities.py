"""Odd files as people and programs make them: each is read right, or what is in doubt is said."""

import bz2
import csv
import gzip
import io
import json
import sys
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.skills.runs import Run, run

PYTHON = Path(sys.executable)  # it has charset-normalizer, as the skill's own environment has
PLAINLY = ("--decimal", "auto", "--dates", "auto")


def clean(folder: Path, content: str | bytes, *options: str) -> Run:
    data = content.encode() if isinstance(content, str) else content
    (folder / "in.csv").write_bytes(data)
    return run("csv-clean", "in.csv", *options, cwd=folder, python=PYTHON)


def profile(folder: Path, content: str) -> Any:
    (folder / "in.csv").write_text(content, encoding="utf-8")
    summary: Any = run("csv-profile", "in.csv", cwd=folder, python=PYTHON).summary
    return summary


VALUES: dict[str, tuple[list[str], list[str]]] = {
    "narrow spaces and a minus behind": (["1\u202f234,50-", "7,25-"], ["-1234.50", "-7.25"]),
    "thousands in brackets": (["(1.234)", "(1.234,50)"], ["-1234", "-1234.50"]),
    "a true minus and an apostrophe": (["\u22121’234,50", "2,5"], ["-1234.50", "2.5"]),
    "reais": (["R$ 1.234,56", "-R$ 5,00"], ["1234.56", "-5.00"]),
    "zloty": (["1 234,50 zł", "-2,00 zł"], ["1234.50", "-2.00"]),
    "crowns": (["kr 1 234,50", "kr. 2,00"], ["1234.50", "2.00"]),
    "rupees": (["₹ 12,34,567.50", "Rs. 5.00"], ["₹ 12,34,567.50", "Rs. 5.00"]),
    "rupees in one way": (["Rs. 12,34,567.50", "Rs. 5.00"], ["1234567.50", "5.00"]),
    "other dollars": (["HK$1,234.50", "HK$2.00"], ["1234.50", "2.00"]),
    "pesos": (["₱1,234.50", "-₱2.00"], ["1234.50", "-2.00"]),
    "hryvnias": (["1 234,50 грн", "2,00 грн"], ["1234.50", "2.00"]),
    "euros in words": (["1.234,50 Euro", "2,00 Euro"], ["1234.50", "2.00"]),
    "per mille": (["1,5 ‰", "12 ‰"], ["1.5", "12"]),
    "per mille and percent": (["1,5 ‰", "12 %"], ["1,5 ‰", "12 %"]),
    "powers of ten": (["1,5E+03", "2,25E-2"], ["1.5E+03", "2.25E-2"]),
    "years of two digits": (["31.01.24", "02.03.99"], ["2024-01-31", "1999-03-02"]),
    "american years of two digits": (["1/31/24", "2/3/24"], ["2024-01-31", "2024-02-03"]),
    "dates as spreadsheets write them": (["31-Jan-24", "2-Mar-99"], ["2024-01-31", "1999-03-02"]),
    "french first days": (["1er février 2024", "31 déc. 2024"], ["2024-02-01", "2024-12-31"]),
    "spanish": (["31 de enero de 2024", "2 de marzo de 2024"], ["2024-01-31", "2024-03-02"]),
    "russian": (["31 января 2024 г.", "2 марта 2024 г."], ["2024-01-31", "2024-03-02"]),
    "japanese": (["2024年1月31日", "2024年12月2日"], ["2024-01-31", "2024-12-02"]),
    "weekdays": (["Wed, 31 Jan 2024", "Fri, 2 Feb 2024"], ["2024-01-31", "2024-02-02"]),
    "offsets": (["31.01.2024 10:05 +01:00", "02.03.2024 09:00 +01:00"],
                ["2024-01-31 10:05+01:00", "2024-03-02 09:00+01:00"]),
    "world time": (["31.01.2024 10:05 UTC", "02.03.2024 09:00 UTC"],
                   ["2024-01-31 10:05Z", "2024-03-02 09:00Z"]),
    "weeks": (["2024-W05", "2024-W06"], ["2024-W05", "2024-W06"]),
    "versions": (["1.10.2", "13.2.1"], ["1.10.2", "13.2.1"]),
    "phones": (["+49 301 234 567", "+44 207 946 000"], ["+49 301 234 567", "+44 207 946 000"]),
    "IBANs": (["DE02 1203 0000 0000 2020 51", "1,5"], ["DE02 1203 0000 0000 2020 51", "1,5"]),
    "hexadecimal": (["0x1F", "0x2A"], ["0x1F", "0x2A"]),
    "postcodes": (["01067", "10115"], ["01067", "10115"]),
    "beyond 64 bits": (["18446744073709551616", "5"], ["18446744073709551616", "5"]),
}  # fmt: skip


def test_values_of_odd_kinds_are_written_plainly_or_stay_to_the_letter(tmp_path: Path) -> None:
    names = [*VALUES]
    lines = ["\t".join(names), *("\t".join(VALUES[n][0][i] for n in names) for i in (0, 1))]
    clean(tmp_path, "\n".join(lines) + "\n", *PLAINLY)
    made = json.loads(run("csv-profile", "clean.csv", cwd=tmp_path).stdout)
    assert made["rows"] == 2
    with (tmp_path / "clean.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    found = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    assert found == {name: expected for name, (_, expected) in VALUES.items()}


def xlsx() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "a workbook": (xlsx(), ("Excel workbook", "as CSV")),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99, ("old Excel workbook",)),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), ("gzip", "Unpack")),
    "bzip2": (bz2.compress(b"a,b\n1,2\n"), ("bzip2", "Unpack")),
    "a web page": (b"\n<!DOCTYPE html><table><tr><td>1</td></tr></table>", ("web page",)),
    "a PDF": (b"%PDF-1.7\n", ("PDF",)),
    "a NUL byte": (b"a,b\n1,2\n3,\0\n", ("NUL byte in line 3",)),
    "a cell of megabytes": (b"a,b\n1," + b"x" * 1_000_001 + b"\n", ("in the row after line 1",)),
    "quotes with backslashes": (b'a,b\n1,"say \\"hi\\" now"\n', ("in the row after line 1",)),
    "blank lines only": (b"\n\n \n", ("is empty",)),
    "a sep line only": (b"sep=;\n", ("is empty",)),
    "a mark only": (b"\xef\xbb\xbf", ("is empty",)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_csv_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    content, words = REFUSED[kind]
    assert clean(tmp_path, content).refuses("in.csv", *words)
    assert not (tmp_path / "clean.csv").exists()


def wide(columns: int) -> str:
    return "\n".join(",".join(f"{mark}{n}" for n in range(columns)) for mark in "cv") + "\n"


MADE: dict[str, tuple[str | bytes, str]] = {
    "a quoted sep line after a mark": ('\ufeff"sep=\t"\na\tb\n1,5\t2\n', 'a,b\n"1,5",2\n'),
    "UTF-16 without a mark": ("a;b\nZoë;1\n".encode("utf-16-le"), "a,b\nZoë,1\n"),
    "big-endian UTF-16 without a mark": ("a;b\nZoë;1\n".encode("utf-16-be"), "a,b\nZoë,1\n"),
    "marks where files were put together": ('a,b\n1,2\n\ufeff"3,0",4\n', 'a,b\n1,2\n"3,0",4\n'),
    "returns for line ends": ("a,b\r1,2\r3,4", "a,b\n1,2\n3,4\n"),
    "no line end at the end": ("a,b\n1,2", "a,b\n1,2\n"),
    "a header only": ("a,b\n", "a,b\n"),
    "one column": ("name\nAnn\nBob\n", "name\nAnn\nBob\n"),
    "ten thousand columns": (wide(10_000), wide(10_000)),
    "separators of lines in cells": ("a,b\nx\u2028y,\x85z\x0b1\n", "a,b\nx\u2028y,z\x0b1\n"),
    "a delimiter at every end": ("a,b\n1,2,\n3,4,\n", "a,b\n1,2\n3,4\n"),
    "lines in quotes": ('a|b\n"x\r\ny"|2\n', 'a,b\n"x\ny",2\n'),
}


@pytest.mark.parametrize("kind", MADE)
def test_odd_files_are_read_right(tmp_path: Path, kind: str) -> None:
    content, expected = MADE[kind]
    assert clean(tmp_path, content).code == 0
    assert (tmp_path / "clean.csv").read_text(encoding="utf-8") == expected


SAID: dict[str, tuple[str, str]] = {
    "lines above the header": ("Sales of 2024\n\nday;n;eur\n1;2;3,5\n2;3;4,5\n", "--skip-lines 2"),
    "two characters for a delimiter": ("a||b||c\n1||2||3\n", "divided by ||"),
    "a total": ("a,b\nx,1\ny,2\nTotal,3\n", "looks like a total (Total, 3)"),
    "a total in German": ("a,b\nx,1\ny,2\nSumme:,3\n", "looks like a total (Summe:, 3)"),
    "headers within": ("a,b\nx,1\na,b\ny,2\n", "1 row repeats the header"),
    "formulas": ("a,b\n=HYPERLINK(1),1\n@SUM(A1),2\n-3,3\n", "a has 2 values that a spreadsheet"),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_is_odd_about_the_rows_is_said(tmp_path: Path, kind: str) -> None:
    content, words = SAID[kind]
    summary: Any = clean(tmp_path, content).summary
    assert any(words in note for note in summary["notes"]), summary["notes"]


def test_a_title_hides_neither_delimiter_nor_header(tmp_path: Path) -> None:
    content = "Sales of 2024\n\nday;n;eur\n1;2;3,5\n2;3;4,5\n"
    summary: Any = clean(tmp_path, content, "--skip-lines", "2").summary
    assert (summary["delimiter"], summary["columns"]) == (";", ["day", "n", "eur"])


@pytest.mark.parametrize(
    ("no", "yes"), [("nein", "Ja"), ("non", "oui"), ("нет", "да"), ("no", "sí"), ("FALSCH", "WAHR")]
)
def test_truth_has_many_languages(tmp_path: Path, no: str, yes: str) -> None:
    assert profile(tmp_path, f"a,b\n{no},0\n{yes},1\n")["types"] == {"a": "bool", "b": "int"}


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("order date", ["45292", "45300"], "45292 is 2024-01-01"),
        ("created_at", ["1706659200", "1706745600"], "1706659200 is 2024-01-31"),
        ("timestamp", ["1706659200000", "1706745600000"], "1706659200000 is 2024-01-31"),
    ],
)
def test_days_and_seconds_that_programs_count_are_numbers_and_said(
    tmp_path: Path, name: str, values: list[str], words: str
) -> None:
    summary = profile(tmp_path, f"{name},n\n" + "".join(f"{value},1\n" for value in values))
    assert summary["types"][name] == "int"
    assert any(words in note for note in summary["notes"])


def test_numbers_in_another_column_are_no_days(tmp_path: Path) -> None:
    summary = profile(tmp_path, "price,n\n45292,1\n45300,2\n")
    assert not any("45292" in note for note in summary["notes"])


@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u00a0"])
def test_what_nobody_sees_makes_no_other_key(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f"{mark}id,v\nx{mark},1\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text(f"id,w\n{mark}x,2\n", encoding="utf-8")
    done = run("csv-join", "a.csv", "b.csv", "--on", "id", cwd=tmp_path, python=PYTHON)
    assert done.summary["rows"] == 1
    assert profile(tmp_path, f"a,b\n{mark}1,2\n{mark},3\n")["types"]["a"] == "int"


def test_keys_with_accents_of_either_code_join_when_case_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"id,v\n{unicodedata.normalize('NFD', 'ÄPFEL')},1\n")
    (tmp_path / "b.csv").write_text("id,w\näpfel,2\n")
    done = run("csv-join", "a.csv", "b.csv", "--on", "id", "--ignore-case", cwd=tmp_path)
    assert done.summary["rows"] == 1
