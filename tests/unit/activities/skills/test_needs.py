"""Imports that nothing declares: found before the script runs, and what to write is said."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from activities.skills.distributions import package_of
from activities.skills.entries import Entry
from activities.skills.metadata import load_skill
from activities.skills.needs import check_imports, find_needs, modules_in, read_needs, undeclared
from activities.skills.validation import validate
from workflows.errors.skills import ImportUndeclared

MakeSkill = Callable[..., Path]

BLOCK = "# /// script\n# dependencies = [{}]\n# ///\n"


def undeclared_in(make_skill: MakeSkill, files: Mapping[str, str]) -> list[str]:
    needs = find_needs(load_skill(make_skill("tidy", files)), "scripts/a.py")
    return [str(error.fields["module"]) for error in undeclared(needs)]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        *(
            ("PIL", "pillow"),
            ("yaml", "pyyaml"),
            ("cv2", "opencv-python"),
            ("bs4", "beautifulsoup4"),
        ),
        *(("nacl", "pynacl"), ("pdfminer", "pdfminer-six"), ("whisper", "openai-whisper")),
        *(("pandas", "pandas"), ("sentence_transformers", "sentence-transformers")),
    ],
)
def test_the_package_of_a_module_is_known_by_its_own_name(module: str, package: str) -> None:
    assert package_of(module) == package


async def test_validation_names_the_import_and_what_to_write(make_skill: MakeSkill) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "import os\nimport yaml\n"})
    [problem] = await validate(folder)
    assert "scripts/a.py of skill tidy imports 'yaml' in line 2" in problem
    assert '`# /// script`, `# dependencies = ["pyyaml"]`, `# ///`' in problem
    assert "a line `pyyaml` in the skill's requirements.txt" in problem


async def test_a_block_that_is_not_closed_is_named_as_the_cause(make_skill: MakeSkill) -> None:
    source = '"""Tidy."""\n# /// script\n# dependencies = ["pyyaml"]\n\nimport yaml\n'
    [problem] = await validate(make_skill("tidy", {"scripts/a.py": source}))
    assert "The `# /// script` block in line 2 of scripts/a.py has no end" in problem
    assert "close it with a line `# ///`" in problem


async def test_validation_finds_imports_within_functions_too(make_skill: MakeSkill) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "def f():\n  import yaml\n"})
    assert len(await validate(folder)) == 1


async def test_what_scripts_share_is_told_once(make_skill: MakeSkill) -> None:
    files = {"scripts/a.py": "import c", "scripts/b.py": "import c", "scripts/c.py": "import yaml"}
    problems = await validate(make_skill("tidy", files))
    assert len({problem.partition(" of skill")[0] for problem in problems}) == 1


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        ({"scripts/a.py": "import yaml, numpy"}, ["yaml", "numpy"]),
        ({"scripts/a.py": BLOCK.format("'pyyaml'") + "import yaml, numpy"}, ["numpy"]),
        ({"scripts/a.py": BLOCK.format("'PyYAML>=6'") + "import yaml"}, []),
        ({"scripts/a.py": BLOCK.format("'pillow'") + "import PIL"}, []),
        ({"scripts/a.py": BLOCK.format("'opencv-python-headless'") + "import cv2"}, []),
        ({"scripts/a.py": BLOCK.format("'python-foo'") + "import foo"}, []),
        ({"scripts/a.py": BLOCK.format("'google-cloud-storage'") + "import google.cloud"}, []),
        # Whatever `mystery` is, it may bring `enigma`.
        ({"scripts/a.py": BLOCK.format("'mystery'") + "import enigma"}, []),
        ({"scripts/a.py": "import yaml, numpy", "requirements.txt": "pyyaml\n"}, ["numpy"]),
        (
            {
                "scripts/a.py": "import yaml",
                "requirements.lock": f"pyyaml==6 --hash=sha256:{'a' * 64}",
            },
            [],
        ),
    ],
)
def test_an_import_is_undeclared_when_no_requirement_can_bring_it(
    files: Mapping[str, str], modules: list[str], make_skill: MakeSkill
) -> None:
    assert undeclared_in(make_skill, files) == modules


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        ({"scripts/a.py": BLOCK.format("'a'") + "import b"}, 'Add "b" to the dependencies in its'),
        (
            {"scripts/a.py": "import b", "requirements.txt": ""},
            "Add a line `b` to requirements.txt",
        ),
        (
            {"scripts/a.py": "import b", "scripts/requirements.txt": ""},
            "Add a line `b` to scripts/requirements.txt",
        ),
        (
            {"scripts/a.py": "import b", "pyproject.toml": "[project]\nname = 'x'\n"},
            'Add "b" to the dependencies in pyproject.toml',
        ),
    ],
)
def test_what_to_write_goes_where_the_skill_declares_the_rest(
    files: Mapping[str, str], remedy: str, make_skill: MakeSkill
) -> None:
    needs = find_needs(load_skill(make_skill("tidy", files)), "scripts/a.py")
    with pytest.raises(ImportUndeclared, match=remedy):
        check_imports(needs, ())


async def test_a_test_of_the_skill_is_no_script_to_declare_for(make_skill: MakeSkill) -> None:
    files = {
        f"scripts/{path}": "import pytest" for path in ("test_a.py", "tests/a.py", "a_test.py")
    }
    assert await validate(make_skill("tidy", files)) == []


def test_only_certain_imports_that_are_not_installed_stop_a_script(
    make_skill: MakeSkill, tmp_path: Path
) -> None:
    source = "import numpy\ndef f():\n  import yaml\n"
    needs = find_needs(load_skill(make_skill("tidy", {"scripts/a.py": source})), "scripts/a.py")
    packages = tmp_path / "venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    with pytest.raises(ImportUndeclared, match="'numpy'"):
        check_imports(needs, modules_in(packages.parents[2]))
    (packages / "numpy.cpython-311-x86_64-linux-gnu.so").touch()
    check_imports(needs, modules_in(packages.parents[2]))


async def test_needs_are_read_again_when_the_skill_has_changed(make_skill: MakeSkill) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "import one"})
    first = await read_needs(load_skill(folder), Entry("scripts/a.py"))
    assert await read_needs(load_skill(folder), Entry("scripts/a.py")) is first
    (folder / "scripts/a.py").write_text("import two")
    second = await read_needs(load_skill(folder), Entry("scripts/a.py"))
    assert [item.module for item in second.imports.foreign] == ["two"]


def test_what_is_not_python_has_no_imports(make_skill: MakeSkill) -> None:
    skill = load_skill(make_skill("tidy", {"scripts/a.sh": "import yaml", "scripts/b.js": ""}))
    for script in skill.scripts:
        assert find_needs(skill, script).imports.foreign == ()


def test_a_shell_script_that_calls_python_has_the_packages_of_the_skill(
    make_skill: MakeSkill,
) -> None:
    files = {"scripts/a.sh": "python3 b.py", "scripts/b.sh": "ls", "requirements.txt": "pyyaml\n"}
    skill = load_skill(make_skill("tidy", files))
    assert find_needs(skill, "scripts/a.sh").dependencies.requirements == ("pyyaml",)
    assert not find_needs(skill, "scripts/b.sh").dependencies.installs
