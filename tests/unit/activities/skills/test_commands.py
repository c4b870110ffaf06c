"""The command that runs a script inside."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from activities.skills.commands import command_for, find_node
from activities.skills.entries import Entry
from activities.skills.metadata import load_skill
from workflows.errors import BadInput
from workflows.errors.skills import NodeMissing, ScriptNotFound

MakeSkill = Callable[..., Path]
PYTHON = "/usr/bin/python3"


@pytest.fixture
def command(make_skill: MakeSkill) -> Callable[..., tuple[str, ...]]:
    def make(
        script: str, content: str = "", args: Sequence[str] = (), *, has_venv: bool = False
    ) -> tuple[str, ...]:
        skill = load_skill(make_skill("tidy", {script: content}))
        return command_for(
            skill,
            Entry(script),
            args,
            python_in_sandbox=PYTHON,
            has_venv=has_venv,
            node_in_sandbox="/usr/bin/node",
        )

    return make


@pytest.mark.parametrize(("has_venv", "python"), [(False, PYTHON), (True, "/opt/venv/bin/python")])
def test_python_runs_in_the_environment_if_there_is_one(
    has_venv: bool, python: str, command: Callable[..., tuple[str, ...]]
) -> None:
    got = command("scripts/a.py", args=["-o", "x y"], has_venv=has_venv)
    assert got == (python, "-B", "-u", "/skills/tidy/scripts/a.py", "-o", "x y")


@pytest.mark.parametrize(
    ("script", "first_line", "shell"),
    [
        ("a.sh", "echo", "/bin/sh"),
        ("a.sh", "#!/bin/sh", "/bin/sh"),
        ("a.sh", "#!/bin/bash -e", "/bin/bash"),
        ("a.sh", "#!/usr/bin/env bash\r", "/bin/bash"),
        ("a.sh", "#!/usr/bin/env -S bash -e", "/bin/bash"),
        ("a.sh", "# for bash", "/bin/sh"),
        ("a.bash", "", "/bin/bash"),
    ],
)
def test_a_shell_script_gets_the_shell_it_asks_for(
    script: str, first_line: str, shell: str, command: Callable[..., tuple[str, ...]]
) -> None:
    assert command(f"scripts/{script}", f"{first_line}\n") == (
        shell,
        f"/skills/tidy/scripts/{script}",
    )


@pytest.mark.parametrize("suffix", [".js", ".mjs", ".cjs"])
def test_javascript_runs_in_node(suffix: str, command: Callable[..., tuple[str, ...]]) -> None:
    assert command(f"scripts/a{suffix}") == ("/usr/bin/node", f"/skills/tidy/scripts/a{suffix}")


def test_without_node_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NodeMissing, match="apt-get install nodejs"):
        find_node("tidy", "scripts/a.js", [tmp_path / "node"])


def test_only_scripts_of_the_skill_run(make_skill: MakeSkill) -> None:
    skill = load_skill(make_skill("tidy", {"scripts/a.py": ""}))
    with pytest.raises(ScriptNotFound, match=r"It has: scripts/a\.py"):
        command_for(skill, Entry("../x.py"), [], python_in_sandbox=PYTHON, has_venv=False)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["a\0b"], "NUL"),
        (["\ud800"], "surrogate"),
        (["x" * 131_072], "131071 bytes each"),
        (["x" * 100_000] * 11, "1048576 bytes together"),
    ],
)
def test_arguments_that_no_program_can_be_given_are_refused(
    args: list[str], reason: str, command: Callable[..., tuple[str, ...]]
) -> None:
    with pytest.raises(BadInput, match=reason):
        command("scripts/a.py", args=args)
