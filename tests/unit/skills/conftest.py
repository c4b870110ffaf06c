"""Environments with exactly what the skills' locks hold."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.skills.runs import PYTHON, SKILLS, Draw, drawing

MakeEnvironment = Callable[[str], Path]


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory) -> MakeEnvironment:
    """Install the lock of a skill, wheels only and by hash; gives the environment's Python."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"

    def make(skill: str) -> Path:
        folder = tmp_path_factory.mktemp(f"{skill}-venv")
        python = folder / "bin" / "python"
        lock = SKILLS / skill / "requirements.lock"
        options = (
            "--quiet",
            "--require-hashes",
            "--only-binary=:all:",
            "--no-deps",
            "--compile-bytecode",
        )
        subprocess.run([uv, "venv", "--quiet", f"--python={PYTHON}", str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", *options, f"--python={python}", f"--requirements={lock}"],
            check=True,
        )
        return python

    return make


@pytest.fixture(scope="session")
def chart_python(make_environment: MakeEnvironment) -> Path:
    return make_environment("chart")


@pytest.fixture(scope="session")
def draw(chart_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Draw]:
    with drawing(chart_python, tmp_path_factory.mktemp("matplotlib")) as draw:
        yield draw


@pytest.fixture(scope="session")
def extract_python(make_environment: MakeEnvironment) -> Path:
    return make_environment("text-extract")


@pytest.fixture(scope="session")
def report_python(make_environment: MakeEnvironment) -> Path:
    return make_environment("report")
