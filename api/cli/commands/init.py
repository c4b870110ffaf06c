"""``agentos init``: a skill or a pipeline that works, to begin with."""

import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from api.cli import terminal
from api.cli.errors import NameUnfit, PathTaken, PathUnwritable
from api.cli.terminal import safe_line

app = typer.Typer(no_args_is_help=True)

# What the names in the skeletons stand for. A skill's is that of its folder, in the words of the
# Agent Skills; a pipeline may be called likewise.
_PLACEHOLDER = "SKELETON"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_CHARACTERS = 64
_WORDS_OF_YAML = ("false", "n", "no", "null", "off", "on", "true", "y", "yes")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", show_default=False, help="Small letters, digits and hyphens: sales-report."
    ),
]
Folder = Annotated[
    Path,
    typer.Option("--in", metavar="FOLDER", help="Where to make it.", show_default="this folder"),
]


@app.command()
def skill(name: Name, folder: Folder = Path()) -> None:
    """Make a skill: a folder with a SKILL.md and a script that works."""
    _check_name(name)
    target = folder / name
    if target.exists() or target.is_symlink():  # A folder that is empty as well: it is somebody's.
        raise PathTaken(path=target)
    _write(target, {part: f"skill/{part}" for part in ("SKILL.md", "scripts/count.py")}, name)
    shown = shlex.quote(str(target))
    _say(
        target,
        f"echo 'one two two' | python3 {shown}/scripts/count.py",
        f"agentos skills validate {shown}",
        f"export AGENTOS_SKILLS_PATH={shlex.quote(str(folder.absolute()))}"
        "   # for API and workers: restart `agentos up` with it",
        f"agentos skills show {name}",
    )


@app.command()
def pipeline(name: Name, folder: Folder = Path()) -> None:
    """Make a pipeline that runs as it stands: a YAML file."""
    _check_name(name)
    _write(folder, {f"{name}.yaml": "pipeline.yaml"}, name)
    target = folder / f"{name}.yaml"
    shown = shlex.quote(str(target))
    _say(
        target,
        f"agentos pipelines validate {shown}",
        f"agentos submit pipeline {shown} --input data={shown} --wait   # any text file will do",
    )


def _check_name(name: str) -> None:
    if len(name) > _NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise NameUnfit(name=name, most=_NAME_CHARACTERS)


def _write(folder: Path, parts: Mapping[str, str], name: str) -> None:
    """Write files that are not there yet. Raises ``PathTaken`` and ``PathUnwritable``."""
    for part, source in parts.items():
        skeleton = files("api.cli.skeletons").joinpath(source).read_text(encoding="utf-8")
        headed = skeleton.replace(f"name: {_PLACEHOLDER}", f"name: {_in_yaml(name)}")
        _write_new(folder / part, headed.replace(_PLACEHOLDER, name))


def _in_yaml(name: str) -> str:
    """As a text, which ``2024`` and ``no`` are to YAML in quotes only."""
    is_plain = name[0].isalpha() and name not in _WORDS_OF_YAML
    return name if is_plain else f'"{name}"'


def _write_new(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(
            "x", encoding="utf-8"
        ) as file:  # Nothing is overwritten, and no link followed.
            file.write(text)
    except FileExistsError as error:
        raise PathTaken(path=path) from error
    except OSError as error:
        raise PathUnwritable(path=path, reason=error.strerror or str(error)) from error


def _say(made: Path, *commands: str) -> None:
    """What was made, on stdout, and on stderr how to try it."""
    typer.echo(safe_line(str(made)))
    terminal.stderr().print("Try it:", style="dim")
    for command in commands:
        terminal.stderr().print(safe_line(f"  {command}"), style="dim", soft_wrap=True)
