"""What ``agentos compile`` writes, and how it compares two runs."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from typer.testing import CliRunner

from api.cli.commands.comparison import Check, Sameness, compared
from api.cli.exit_codes import ExitCode
from api.cli.main import app
from api.cli.terminal import safe_text
from api.wire.responses.compilation import CompiledStep, ExpectedFile
from api.wire.responses.files import Artifact
from api.wire.yaml_reader import parse_yaml
from api.wire.yaml_writer import yaml_text

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
VALUES = st.recursive(
    TEXT
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, max_size=3))
def test_a_document_that_is_written_is_read_as_it_was(document: dict[str, JsonValue]) -> None:
    text = yaml_text(document)
    assert parse_yaml(text) == document
    assert safe_text(text) == text


@pytest.mark.parametrize("value", ["on", "no", "2024-01-31", "1:30", "007", "0x1f", "~", "1e3"])
def test_a_text_that_looks_like_something_else_stays_a_text(value: str) -> None:
    assert parse_yaml(yaml_text({"a": [value]})) == {"a": [value]}


def test_lines_of_a_text_are_lines() -> None:
    assert yaml_text({"source": "import sys\nprint(1)\n"}) == (
        "source: |\n  import sys\n  print(1)\n"
    )


def test_the_same_value_twice_is_written_twice() -> None:
    value: JsonValue = ["x"]
    assert parse_yaml(yaml_text({"a": value, "b": value})) == {"a": ["x"], "b": ["x"]}


def artifact(step: str, name: str, sha256: str) -> Artifact:
    values: Mapping[str, JsonValue] = {
        "id": "00000000-0000-0000-0000-000000000001",
        "type": "file",
        "size": 1,
        "mime_type": "text/csv",
        "url": "/x",
        "created_at": "2026-01-01T00:00:00Z",
    }
    return Artifact.model_validate({**values, "name": name, "sub_task": step, "sha256": sha256})


def test_every_file_of_every_step_is_compared() -> None:
    steps = [
        CompiledStep(
            id="clean",
            call="1.1 run_skill_script",
            files=[ExpectedFile(name=name, sha256="aa") for name in ("a", "b", "c")],
        ),
        CompiledStep(id="chart", call="2.1 run_code", files=[]),
    ]
    artifacts = [
        artifact("clean", "a", "aa"),
        artifact("clean", "b", "bb"),
        artifact("chart", "a", "aa"),
    ]
    found = list(compared(steps, artifacts))
    assert [(file.step, file.name, file.is_) for file in found] == [
        ("clean", "a", Sameness.SAME),
        ("clean", "b", Sameness.DIFFERENT),
        ("clean", "c", Sameness.MISSING),
        ("chart", "a", Sameness.NEW),
    ]
    assert not Check(task_id="x", status="completed", files=found).holds
    assert Check(task_id="x", status="completed", files=found[:1]).holds


def test_a_check_is_told_as_json() -> None:
    found = list(compared([], []))
    document = Check(task_id="x", status="completed", files=found).model_dump_json()
    assert json.loads(document) == {"task_id": "x", "status": "completed", "files": []}


def test_a_time_limit_needs_a_check() -> None:
    arguments = ["compile", "0c9b1e0e", "--timeout", "5"]
    printed = CliRunner().invoke(app, arguments)
    assert printed.exit_code == ExitCode.USAGE
    assert "it needs --check" in printed.output
