"""Files of 8-bit encodings: what is guessed, and that it is said to be a guess."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.skills.runs import run

PYTHON = Path(sys.executable)  # it has charset-normalizer, as the skill's own environment has

FILES = {
    "cp1252": "nom,ville\nRené,Besançon\nÉric,Nîmes\nZoé,Orléans\n",
    "cp1250": "jméno,město\nJiří,Plzeň\nŽofie,Kroměříž\nŁukasz,Łódź\n",
    "iso8859_2": "imię,miasto\nŁukasz,Łódź\nGrażyna,Gdańsk\nŚwięto,Kraków\n",
    "cp1251": "имя,город\nИван,Москва\nАнна,Тула\n",
    "koi8_r": "имя,город\nИван,Москва\nАнна,Тула\nПётр,Екатеринбург\n",
    "cp866": "имя,город\nИван,Москва\nАнна,Тула\nПётр,Екатеринбург\n",
    "cp1253": "όνομα,πόλη\nΓιώργος,Αθήνα\nΜαρία,Θεσσαλονίκη\n",
    "cp1256": "اسم,مدينة\nمحمد,القاهرة\nفاطمة,بغداد\n",
    "cp932": "名前,都市\n太郎,東京\n花子,大阪\nさくら,きょうと\n",
    "gb18030": "姓名,城市\n张三,北京\n李四,上海\n",
    "big5": "姓名,城市\n張三,臺北\n李四,高雄\n",
    "cp949": "이름,도시\n김철수,서울\n이영희,부산\n",
    "cp850": "Name,Ort\nMüller,Köln\nJäger,Düsseldorf\n",
    "mac_roman": "Name,Ort\nMüller,Köln\nJäger,Düsseldorf\n",
}


@pytest.mark.parametrize("encoding", FILES)
def test_an_8_bit_encoding_is_guessed_and_the_guess_is_said(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "in.csv").write_bytes(FILES[encoding].encode(encoding))
    summary: Any = run("csv-clean", "in.csv", cwd=tmp_path, python=PYTHON).summary
    assert (tmp_path / "clean.csv").read_text(encoding="utf-8") == FILES[encoding]
    [note] = summary["notes"]
    assert re.search(rf"{summary['encoding']} is a guess \(confidence \d+%", note)
    assert "--encoding" in note


def test_an_encoding_that_is_named_is_no_guess(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(FILES["cp1251"].encode("cp1251"))
    done = run("csv-clean", "in.csv", "--encoding", "cp1251", cwd=tmp_path, python=PYTHON)
    assert done.summary["notes"] == []


@pytest.mark.parametrize("text", ["a,b\n5 €,x\n", "a,b\n20 °C,y\n", "a,b\nit’s “so” – ok,z\n"])
def test_signs_without_foreign_letters_are_those_of_windows(tmp_path: Path, text: str) -> None:
    (tmp_path / "in.csv").write_bytes(text.encode("cp1252"))
    assert run("csv-clean", "in.csv", cwd=tmp_path, python=PYTHON).summary["encoding"] == "cp1252"
    assert (tmp_path / "clean.csv").read_text(encoding="utf-8") == text


def test_a_guess_holds_for_the_whole_file_and_not_for_its_beginning(tmp_path: Path) -> None:
    """0x81 is no letter of Windows-1252, and comes long after what the guess is made from."""
    line = "René,Besançon\n".encode("cp1252")
    content = b"nom,ville\n" + line * 10_000 + b"\x81,x\n"
    (tmp_path / "in.csv").write_bytes(content)
    summary: Any = run("csv-clean", "in.csv", cwd=tmp_path, python=PYTHON).summary
    assert summary["rows_out"] == 10_001
    assert summary["encoding"] != "cp1252"


def test_without_the_detector_windows_1252_is_assumed_and_said(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(FILES["cp1251"].encode("cp1251"))
    summary: Any = run("csv-clean", "in.csv", cwd=tmp_path).summary
    assert summary["encoding"] == "cp1252"
    assert "guess (confidence 50%" in summary["notes"][0]


def test_the_report_says_under_the_table_that_the_encoding_is_a_guess(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(FILES["cp1251"].encode("cp1251"))
    assert run("report", "in.csv", cwd=tmp_path, python=PYTHON).code == 0
    assert "cp1251 is a guess" in (tmp_path / "report.md").read_text()


def test_text_of_another_encoding_is_extracted_and_the_guess_is_said(
    tmp_path: Path, extract_python: Path
) -> None:
    (tmp_path / "x.txt").write_bytes("Привет, Москва!".encode("cp1251"))
    done = run("text-extract", "x.txt", cwd=tmp_path, python=extract_python)
    assert any("cp1251 is a guess" in note for note in done.summary["notes"])
