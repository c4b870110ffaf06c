"""The help of every command is text for people."""

import re
from collections.abc import Iterator, Sequence

import pytest
import typer
from typer.testing import CliRunner

from api.cli.plain_help import plain
from deploy.cli import app

_COMMANDS = re.compile(r"─ Commands ─.*?\n(.*?)╰", re.DOTALL)
_NAME = re.compile(r"^│ ([a-z][a-z-]*)", re.MULTILINE)


def listed() -> Sequence[str]:
    group: typer.core.TyperGroup = typer.main.get_command(app)  # type: ignore[assignment]
    return list(group.commands)


def helps(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """That of a command, and of all in it if it is a group, each with its words."""
    done = CliRunner().invoke(app, [*words, "--help"], prog_name="agentos")
    assert done.exit_code == 0, done.output
    yield " ".join(words), done.output
    # These want a name first: `create NAME pipeline`.
    named = ("x",) if words[-1] in ("create", "edit") else ()
    for group in _COMMANDS.findall(done.output):
        for name in _NAME.findall(group):
            yield from helps((*words, *named, name))


@pytest.mark.parametrize("command", listed())
def test_the_help_of_a_command_has_no_marks_of_code_and_no_values_for_flags(command: str) -> None:
    for words, text in helps((command,)):
        usage = next(line for line in text.splitlines() if "Usage:" in line)
        assert "``" not in text, words
        assert "<bool>" not in text, words
        assert "{" not in usage, words
        assert not re.search(r"\] [a-z]", usage), f"{words}: write what it takes in capitals"


def test_the_help_of_all_commands_has_no_values_for_flags() -> None:
    text = CliRunner().invoke(app, ["--help"], prog_name="agentos").output
    assert "--version" in text
    assert "<bool>" not in text


def test_lines_of_a_docstring_end_where_the_screen_does() -> None:
    assert plain("What it\n  is: ``x``.\n\nMore\nof it.") == "What it is: `x`.\n\nMore of it."
