"""The demo's pipeline: sound, and its steps do what the next ones count on."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from deploy.demo.species import split_by_species
from tests.unit.skills.runs import PYTHON, SKILLS, run
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import problems_of

DEMO = SKILLS.parent / "deploy" / "demo"
DATA = DEMO / "penguins_raw.csv"


def pipeline() -> Pipeline:
    return Pipeline.model_validate(yaml.safe_load((DEMO / "pipeline.yaml").read_text()))


def test_the_pipeline_of_the_demo_is_sound() -> None:
    assert problems_of(pipeline(), {"data": "file:x"}) == []


def test_the_source_tells_the_data_s_true_digest() -> None:
    assert hashlib.sha256(DATA.read_bytes()).hexdigest() in (DEMO / "SOURCE.md").read_text()


def test_the_steps_of_the_demo_run_one_after_the_other(
    tmp_path: Path, chart_python: Path, report_python: Path
) -> None:
    pythons = {"chart": chart_python, "report": report_python}
    printed: dict[str, Any] = {}

    def resolve(argument: str) -> str:
        text = argument.replace("${inputs.data}", str(DATA))
        text = re.sub(r"\$\{steps\.\w+\.files\['([^']+)'\]\}", r"\1", text)
        return re.sub(r"\$\{steps\.(\w+)\.json\.(\w+)\}", lambda m: str(printed[m[1]][m[2]]), text)

    for step in pipeline().steps:
        assert step.skill
        assert isinstance(step.args, list)
        python = pythons.get(step.skill, PYTHON)
        done = run(step.skill, *map(resolve, step.args), cwd=tmp_path, python=python)
        printed[step.id] = done.summary
    assert printed["clean"]["rows_out"] == 344
    assert printed["profile"]["types"]["body_mass_g"] == "int"
    assert printed["chart"]["rows_drawn"] == 342
    assert [section["kind"] for section in printed["report"]["sections"]] == [
        "markdown",
        "picture",
        "table",
    ]
    assert "344 birds" in (tmp_path / "report.md").read_text()
    assert json.loads((tmp_path / "profile.json").read_text())["rows"] == 344


def test_the_files_of_the_plan_have_all_rows_of_the_demo_s_data(tmp_path: Path) -> None:
    parts = split_by_species(DATA, tmp_path / "species")
    assert [*parts] == ["adelie", "gentoo", "chinstrap"]
    whole, *rows = [line.split(",", 1)[0] for line in DATA.read_text().splitlines()]
    assert whole == "studyName"
    headings = {path.read_text().splitlines()[0] for path in parts.values()}
    assert headings == {DATA.read_text().splitlines()[0]}
    assert sum(len(path.read_text().splitlines()) - 1 for path in parts.values()) == len(rows)
