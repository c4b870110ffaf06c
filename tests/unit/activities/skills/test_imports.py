"""What a Python script imports, read from sources that nobody vouches for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.skills import imports
from activities.skills.imports import Imports, find_imports
from activities.skills.metadata import load_skill

MakeSkill = Callable[..., Path]


def found_in(
    make_skill: MakeSkill, files: Mapping[str, str], script: str = "scripts/a.py"
) -> Imports:
    skill = load_skill(make_skill("tidy", files))
    return find_imports(skill.folder, script, skill.files)


def foreign(make_skill: MakeSkill, source: str, **others: str) -> list[tuple[str, bool]]:
    found = found_in(make_skill, {"scripts/a.py": source, **others}).foreign
    return [(item.module, item.certain) for item in found]


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import yaml", [("yaml", True)]),
        ("import os, yaml.cyaml as y", [("yaml", True)]),
        ("from PIL.Image import open", [("PIL", True)]),
        ("class A:\n  import yaml", [("yaml", True)]),
        ("with open(__file__):\n  import yaml", [("yaml", True)]),
        ("try:\n  import yaml\nexcept OSError:\n  pass", [("yaml", True)]),
        ("try:\n  pass\nfinally:\n  import yaml", [("yaml", True)]),
        ("if __name__ == '__main__':\n  import yaml", [("yaml", True)]),
        ("def f():\n  import yaml", [("yaml", False)]),
        ("async def f():\n  import yaml", [("yaml", False)]),
        ("if f():\n  import yaml", [("yaml", False)]),
        ("for x in y:\n  import yaml", [("yaml", False)]),
        ("match x:\n  case 1:\n    import yaml", [("yaml", False)]),
        ("def f():\n  import yaml\nimport yaml", [("yaml", True)]),
        ("import yaml\nimport yaml", [("yaml", True)]),
        # From the folder of inputs, it may be, or from one that another program made.
        ("import sys, c\nsys.path.append(f())\nimport b", [("c", True), ("b", False)]),
    ],
)
def test_what_neither_python_nor_the_skill_has_is_foreign(
    source: str, modules: list[tuple[str, bool]], make_skill: MakeSkill
) -> None:
    assert foreign(make_skill, source) == modules


@pytest.mark.parametrize(
    "source",
    [
        "import os, sys, __future__",
        "import distutils, imp, telnetlib",
        "try:\n  import yaml\nexcept ImportError:\n  yaml = None",
        "try:\n  import yaml\nexcept (KeyError, ModuleNotFoundError):\n  pass",
        "try:\n  import yaml\nexcept Exception:\n  raise SystemExit",
        "try:\n  import yaml\nexcept:\n  pass",
        "try:\n  import tomllib\nexcept ImportError:\n  import tomli",
        "try:\n  import yaml\nexcept builtins.ImportError:\n  pass",
        "from contextlib import suppress\nwith suppress(ImportError):\n  import yaml",
        "import typing\nif typing.TYPE_CHECKING:\n  import yaml",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import yaml",
        "import sys\nif sys.version_info >= (3, 11):\n  import tomllib\nelse:\n  import tomli",
        "import sys\nif sys.platform == 'win32':\n  import win32api",
        "import os\nif os.name == 'nt':\n  import win32api",
        "import importlib.util\nif importlib.util.find_spec('yaml'):\n  import yaml",
        "def f():\n  try:\n    import yaml\n  except ImportError:\n    pass",
    ],
)
def test_an_import_that_the_script_can_do_without_is_no_fault(
    source: str, make_skill: MakeSkill
) -> None:
    assert foreign(make_skill, source) == []


@pytest.mark.parametrize(
    "other", ["scripts/tools.py", "tools.py", "lib/tools/run.py", "scripts/tools/__init__.py"]
)
def test_modules_of_the_skill_are_not_foreign(other: str, make_skill: MakeSkill) -> None:
    assert foreign(make_skill, "import tools", **{other: ""}) == []


def test_modules_of_the_skill_are_looked_through_as_well(make_skill: MakeSkill) -> None:
    files = {
        "scripts/a.py": "from pack.deep import run",
        "scripts/pack/__init__.py": "import one",
        "scripts/pack/deep/__init__.py": "from . import run",
        "scripts/pack/deep/run.py": "from ..other import x\nimport a",
        "scripts/pack/other.py": "import two\nif __name__ == '__main__':\n  import three",
        "scripts/unused.py": "import four",
    }
    found = found_in(make_skill, files)
    assert {(item.module, item.path, item.certain) for item in found.foreign} == {
        ("one", "scripts/pack/__init__.py", True),
        ("two", "scripts/pack/other.py", True),
        ("three", "scripts/pack/other.py", False),
    }


def test_folders_above_the_script_are_named_where_it_imports_from_them(
    make_skill: MakeSkill,
) -> None:
    files = {"scripts/a.py": "from scripts.b import x\nimport c", "scripts/b.py": "", "c/d.py": ""}
    assert found_in(make_skill, files).folders == (".",)
    assert found_in(make_skill, {"scripts/a.py": "import b", "scripts/b.py": ""}).folders == ()


def test_a_script_with_relative_imports_is_part_of_a_package(make_skill: MakeSkill) -> None:
    files = {"scripts/a.py": "from .b import x", "scripts/b.py": "from . import c"}
    assert found_in(make_skill, files).relative
    files = {"scripts/a.py": "import b", "scripts/b.py": "from . import c"}
    assert not found_in(make_skill, files).relative


@pytest.mark.parametrize(
    "source",
    [
        *("import", "print 'old'", "\0", "(" * 10_000, "-" * 100_000 + "1", "from ....x import y"),
        "if x:\n  pass\n" + "elif x:\n  pass\n" * 20_000,
        "1" + "+1" * 50_000,
        "# é\nimport os\n".encode("utf-16").decode("latin-1"),
    ],
)
def test_a_source_that_is_no_python_or_too_deep_gives_no_imports(
    source: str, make_skill: MakeSkill
) -> None:
    assert foreign(make_skill, source) == []


def test_a_source_over_the_limit_is_not_read(make_skill: MakeSkill) -> None:
    source = "import yaml\n#" + "x" * imports.SOURCE_MAX_BYTES
    assert foreign(make_skill, source) == []


# Pieces of Python, joined at random.
PIECES = st.sampled_from(
    [
        *("import a\n", "from . import b\n", "from ", "import ", "if x:\n", "try:\n", "except:\n"),
        *(
            "  ",
            "\t",
            "def f():\n",
            "(",
            ")",
            ":",
            "\\\n",
            "pass\n",
            "\x00",
            "é",
            "*",
            "...",
            "'" * 3,
        ),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_source_gives_imports_not_errors(source: str) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "a.py").write_text(source)
        find_imports(Path(folder), "a.py", ("a.py",))
