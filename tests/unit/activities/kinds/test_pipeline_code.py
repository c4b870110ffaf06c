"""What is said of the Python code of a pipeline's steps before anything runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from activities.kinds.pipeline_validation import problems_with_code
from activities.skills.catalogue import Catalogue
from activities.skills.code_sources import steps_to_look_at
from workflows.definitions.pipeline import Pipeline

MakeSkill = Callable[..., Path]
BLOCK = "# /// script\n# {}\n# ///\n"


def pipeline(*sources: str, **code: str) -> Pipeline:
    steps = [
        {"id": f"s{number}", "code": {"language": "python", "source": source, **code}}
        for number, source in enumerate(sources)
    ]
    return Pipeline.model_validate({"name": "p", "steps": steps})


async def problems(folder: Path, *sources: str, **code: str) -> list[tuple[str, str]]:
    catalogue = Catalogue([folder])
    found = await problems_with_code(catalogue, pipeline(*sources, **code), by_model=False)
    return [(problem.pointer, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\nprint(1", "line 2 of it is not valid Python 3."),
        ("if x:\nprint(1)", "expected an indented block"),
        ("a = '\0'", "null bytes"),
        ("import sys\nimport yaml", "line 2 of it imports 'yaml', which is not part of Python"),
        ("from yaml import load", '`# dependencies = ["pyyaml"]`'),
        ("if __name__ == '__main__':\n  import yaml", "line 2 of it imports 'yaml'"),
        (
            '# /// script\n# dependencies = ["pandas"]\nimport pandas',
            "the `# /// script` block in line 1 has no end, so it declares nothing; close it",
        ),
    ],
)
async def test_code_that_would_fail_as_soon_as_it_starts_is_refused_with_its_line(
    source: str, said: str, tmp_path: Path
) -> None:
    [(pointer, message)] = await problems(tmp_path, "print(1)", source)
    assert pointer == "/pipeline/steps/1/code/source"
    assert said in message


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n  import yaml\n",
        "try:\n  import yaml\nexcept ImportError:\n  pass\n",
        "import sys\nsys.path.insert(0, '/workspace/input')\nimport yaml",
        BLOCK.format("dependencies = ['pandas']") + "import numpy",
        # A grammar that is not ours is not for us to judge.
        BLOCK.format("requires-python = '>=3.99'") + "print 1 :=",
        "+" * 10_000 + "1",
        "a" + ".b" * 8_000,
        "import yaml  " + "#" * 17 * 1024,
    ],
)
async def test_code_that_may_run_is_no_problem(source: str, tmp_path: Path) -> None:
    assert await problems(tmp_path, source) == []


async def test_only_python_is_looked_at(tmp_path: Path) -> None:
    assert await problems(tmp_path, "print(1", language="shell") == []


async def test_code_has_the_modules_and_packages_of_the_skill_that_it_uses(
    make_skill: MakeSkill,
) -> None:
    folder = make_skill("tidy", {"scripts/tables.py": ""}).parent
    assert await problems(folder, "import tables", skill="tidy") == []
    [(_, message)] = await problems(folder, "import yaml", skill="tidy")
    assert "imports 'yaml'" in message
    make_skill("rich", {"scripts/a.py": "", "requirements.txt": "pandas\n"})
    assert await problems(folder, "import yaml", skill="rich") == []


def test_of_much_code_only_so_much_is_looked_at_as_takes_moments() -> None:
    assert len(steps_to_look_at(pipeline(*["a\n" * 8_000] * 100))) == 4
    assert steps_to_look_at(pipeline("a\n" * 9_000, "a")) == {1}
