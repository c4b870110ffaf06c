"""Skeletons: they work as they stand, and take the place of nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from activities.skills.validation import validate
from api.cli.commands.init import app
from api.cli.errors import NameUnfit, PathTaken, PathUnwritable
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of


def make(*words: str) -> str:
    """What is printed of it."""
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_a_skill_passes_validation(tmp_path: Path) -> None:
    assert make("skill", "word-count", "--in", str(tmp_path)) == f"{tmp_path / 'word-count'}\n"
    folder = tmp_path / "word-count"
    assert await validate(folder) == []
    assert "name: word-count\n" in (folder / "SKILL.md").read_text()


def test_the_script_of_a_skill_reads_a_file_or_stdin(tmp_path: Path) -> None:
    make("skill", "word-count", "--in", str(tmp_path))
    text = tmp_path / "a.txt"
    text.write_text("one two\ntwo\n")
    script = [sys.executable, str(tmp_path / "word-count" / "scripts" / "count.py")]
    table = tmp_path / "counts.md"
    of_file = subprocess.run([*script, text, "-o", table], capture_output=True, check=True)
    of_stdin = subprocess.run(script, input=text.read_bytes(), capture_output=True, check=True)
    assert of_file.stdout == of_stdin.stdout
    counted = json.loads(of_file.stdout)
    assert (counted["lines"], counted["words"], counted["common"][0]) == (2, 3, ["two", 2])
    assert "| lines | 2 |" in table.read_text()
    refused = subprocess.run([*script, tmp_path / "nothing"], capture_output=True, check=False)
    assert refused.returncode == 2


@pytest.mark.parametrize("name", ["sales", "no", "2024", "1e5"])
def test_a_pipeline_is_valid_whatever_yaml_takes_its_name_for(tmp_path: Path, name: str) -> None:
    make("pipeline", name, "--in", str(tmp_path))
    document = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
    pipeline = Pipeline.model_validate(document)
    assert pipeline.name == name
    assert problems_of(pipeline, {"data": "file:x"}) == []


@pytest.mark.parametrize("kind", ["skill", "pipeline"])
def test_what_is_there_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    make(kind, "mine", "--in", str(tmp_path))
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    for path in before:
        path.write_text("edited")
    with pytest.raises(PathTaken):
        make(kind, "mine", "--in", str(tmp_path))
    assert {path.read_text() for path in before} == {"edited"}


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PathTaken):
        make("pipeline", "mine", "--in", str(tmp_path))
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["Mine", "../mine", "a b", "-a", "a" * 65, ""])
def test_an_unfit_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NameUnfit):
        make("pipeline", "--in", str(tmp_path), "--", name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PathUnwritable):
        make("skill", "mine", "--in", str(tmp_path / "file"))
