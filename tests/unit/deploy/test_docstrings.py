"""Docstrings are messages, help and descriptions: nothing starts where Python drops them."""

import subprocess
import sys

import pytest


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", ["deploy.cli", "deploy.offline_model"])
def test_a_command_without_docstrings_says_why_it_does_not_start(module: str) -> None:
    run = python("-OO", "-m", module, "--help")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("AgentOS needs docstrings")
    assert len(run.stderr.splitlines()) == 1


def test_the_environment_may_not_drop_docstrings_either() -> None:
    run = python("-m", "deploy.cli", "--help", PYTHONOPTIMIZE="2")
    assert run.returncode == 1
    assert "PYTHONOPTIMIZE unset or 1" in run.stderr


def test_a_program_that_imports_the_library_without_docstrings_is_reported() -> None:
    run = python("-OO", "-c", "import api.client")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("ImportError: AgentOS needs docstrings")


def test_messages_survive_where_only_asserts_are_dropped() -> None:
    code = "import deploy; from workflows.errors import BadInput; print(BadInput(reason='x'))"
    assert python("-O", "-c", code).stdout == "x.\n"
