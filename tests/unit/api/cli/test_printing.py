"""Documents on stdout, whatever it can encode."""

import io
import json
from contextlib import redirect_stdout

import pytest
from pydantic import BaseModel

from api.cli.commands.printing import first_paragraph, print_json, print_json_line


class Named(BaseModel):
    name: str


def printed_lines(encoding: str, *names: str) -> list[str]:
    buffer = io.BytesIO()
    stdout = io.TextIOWrapper(buffer, encoding=encoding)
    with redirect_stdout(stdout):
        for name in names:
            print_json_line(Named(name=name))
    stdout.flush()
    return buffer.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_each_document_of_many_takes_one_line_whatever_stdout_can_encode(encoding: str) -> None:
    names = ["plain", "Ünïcode", "表 👩", "\x1b"]
    assert [json.loads(line)["name"] for line in printed_lines(encoding, *names)] == names


def test_a_single_document_is_indented_whatever_stdout_can_encode() -> None:
    buffer = io.BytesIO()
    stdout = io.TextIOWrapper(buffer, encoding="ascii")
    with redirect_stdout(stdout):
        print_json(Named(name="表"))
    stdout.flush()
    assert buffer.getvalue() == b'{\n  "name": "\\u8868"\n}\n'


def test_a_description_is_shown_by_its_first_paragraph_as_one_line() -> None:
    assert first_paragraph("Greets\n  a person.\n \nMore.\n") == "Greets a person."
    assert first_paragraph("") == ""
