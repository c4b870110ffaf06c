"""What is said of a pipeline's skills before anything runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from activities.kinds.base import Installed
from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.skills.catalogue import Catalogue
from activities.tools.registry import Registry
from workflows.definitions.pipeline import Pipeline

MakeSkill = Callable[..., Path]


async def problems(folder: Path, step: Mapping[str, Any]) -> list[tuple[str, str]]:
    catalogue = Catalogue([folder])
    parts = SimpleNamespace(catalogue=catalogue, tools=Registry(), database=None)
    pipeline = Pipeline.model_validate({"name": "p", "steps": [{"id": "a", **step}]})
    found = await problems_with_pipeline(cast("Installed", parts), UUID(int=1), pipeline, {})
    return [(problem.pointer, problem.message) for problem in found]


async def test_an_import_that_nothing_declares_is_a_problem_before_anything_runs(
    make_skill: MakeSkill,
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "import yaml\n"}).parent
    [(pointer, message)] = await problems(folder, {"skill": "tidy", "script": "a.py"})
    assert pointer == "/pipeline/steps/0/script"
    assert "imports 'yaml' in line 1" in message
    assert "pyyaml" in message


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n  import yaml\n",
        "try:\n  import yaml\nexcept ImportError:\n  pass\n",
        # What pandas brings along is known once it is installed.
        "# /// script\n# dependencies = ['pandas']\n# ///\nimport pandas, numpy\n",
    ],
)
async def test_an_import_that_may_be_there_is_no_problem(
    source: str, make_skill: MakeSkill
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": source}).parent
    assert await problems(folder, {"skill": "tidy"}) == []


async def test_a_broken_declaration_is_a_problem_before_anything_runs(
    make_skill: MakeSkill,
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "", "requirements.txt": "-r x\n"}).parent
    [(pointer, message)] = await problems(folder, {"skill": "tidy"})
    assert pointer == "/pipeline/steps/0/skill"
    assert "options are not taken" in message


async def test_a_script_that_cannot_be_run_is_a_problem_and_not_missing(
    make_skill: MakeSkill,
) -> None:
    folder = make_skill("tidy", {"scripts/a.rb": "puts 1"}).parent
    [(pointer, message)] = await problems(folder, {"skill": "tidy", "script": "scripts/a.rb"})
    assert pointer == "/pipeline/steps/0/script"
    assert "has the file scripts/a.rb, but it cannot be run" in message


async def test_the_skill_that_code_uses_must_be_there(make_skill: MakeSkill) -> None:
    folder = make_skill("tidy").parent
    code = {"language": "python", "source": "1"}
    assert await problems(folder, {"code": {**code, "skill": "tidy"}}) == []
    [(pointer, message)] = await problems(folder, {"code": {**code, "skill": "tiddy"}})
    assert pointer == "/pipeline/steps/0/code/skill"
    assert "Did you mean tidy?" in message
