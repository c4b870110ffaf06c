"""What is wrong with a file is shown where it is written, with the line."""

from pathlib import Path

import pytest

from api.cli.commands.pipeline_file import read_pipeline
from api.cli.errors import RequestInvalid
from api.cli.failures import tell
from api.cli.main import app, run
from api.cli.source_lines import source_lines
from api.client.errors import ApiProblem
from workflows.errors import AgentOSError
from workflows.pointers import Problem

TEXT = """\
name: report
steps:
  - id: clean
    skil: csv-clean
  - id: chart
    skill: chart
    args: [true, "--kind"]
"""

FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is not a pipeline: there is nothing in it.\n"),
    "comments": (b"# later\n", "there is nothing in it but comments.\n"),
    "a tab": (b"steps:\n\t- id: a\n", "use spaces (line 2, column 1).\n     2 |  - id: a\n"),
    "a list": (b"- a\n", "p.yaml:1:1: it must be an object, not a list\n     1 | - a\n"),
    "two documents": (b"a: 1\n---\nb: 1\n", "a second document begins here"),
    "a program": (b"\x7fELF\x00\x01", "it is a binary file, and no text.\n"),
    "Latin-1": (b"name: r\xe9port\n", "it is not UTF-8 (line 1): save it as UTF-8.\n"),
    "a byte order mark": (b"\xef\xbb\xbfname: x\n", "the field steps is required\n     1 | name"),
}


def told(error: AgentOSError, capsys: pytest.CaptureFixture[str]) -> str:
    tell(error)
    return capsys.readouterr().err


def refused(path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(AgentOSError) as caught:
        read_pipeline(path, {})
    return told(caught.value, capsys).replace(f"{path.parent}/", "")


def test_each_problem_has_its_line_column_and_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TEXT)
    assert refused(path, capsys) == (
        "Error: p.yaml is not a valid pipeline. Nothing was uploaded or submitted.\n"
        "  p.yaml:4:5: step clean: unknown field skil; did you mean skill?\n"
        "     4 |     skil: csv-clean\n"
        "       |     ^\n"
        '  p.yaml:7:12: step chart: it must be text, not true: write it in quotes, "true"\n'
        '     7 |     args: [true, "--kind"]\n'
        "       |            ^\n"
    )


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_pipeline_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content, said = FILES[name]
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    assert said in refused(path, capsys)


def test_what_the_api_finds_is_shown_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TEXT.replace("skil:", "skill:").replace("true", "a"))
    read_pipeline(path, {})
    problems = (
        Problem("/pipeline/steps/0/skill", "there is no such skill"),
        Problem("/priority", "it must be at most 10"),
    )
    error = ApiProblem(status=422, code="invalid-request", message="", problems=problems)
    assert told(error, capsys).replace(f"{path.parent}/", "").splitlines()[1:] == [
        "  /priority  it must be at most 10",
        "  p.yaml:4:5: step clean: there is no such skill",
        "     4 |     skill: csv-clean",
        "       |     ^",
    ]


def test_a_problem_of_no_file_has_its_pointer(capsys: pytest.CaptureFixture[str]) -> None:
    error = RequestInvalid([Problem("/a", "x\x1b[31m")])
    assert told(error, capsys).splitlines()[1].startswith("  /a  x")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipelin.yaml", "(did you mean {folder}/pipeline.yaml?)"),
        ("xyz", "there is no such file"),
        (".", "it is a folder; name a file in it"),
    ],
)
def test_a_path_that_is_no_file_is_told_what_may_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    (tmp_path / "pipeline.yaml").write_text(TEXT)
    with pytest.raises(AgentOSError) as caught:
        read_pipeline(tmp_path / name, {})
    assert said.format(folder=tmp_path) in str(caught.value)


def test_a_long_line_is_shown_around_the_place() -> None:
    line = "x" * 5_000 + "!" + "y" * 5_000
    shown, mark = (str(text) for text in source_lines(line, 1, 5_001))
    assert len(shown) < 120
    assert shown[mark.index("^")] == "!"


@pytest.mark.parametrize(("line", "column"), [(0, 1), (9, 1), (2, 1)])
def test_a_line_that_is_not_there_or_empty_is_not_shown(line: int, column: int) -> None:
    assert not [*source_lines("a\n\n", line, column)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ls", "--limit", "0"), "it must be at least 1."),
        (("ls", "--limit", "x"), "it must be a whole number."),
        (("ls", "--status", "complete"), "Did you mean completed?"),
        (("sumbit",), "Did you mean 'submit'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "said",
)
def test_an_option_that_is_wrong_is_told_in_our_words(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(app, arguments)
    assert caught.value.code == 2
    printed = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert said in printed
    assert "Input should" not in printed
    assert "Value error" not in printed
