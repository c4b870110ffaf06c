"""The command that runs a script inside the sandbox."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from activities.sandbox.base import SKILLS_FOLDER, VENV_FOLDER
from activities.sandbox.interpreter import PYTHON_FLAGS
from activities.skills.entries import FIRST_LINE_MAX_BYTES, Entry, Language, language_of
from activities.skills.metadata import Skill
from workflows.definitions.pipeline import Code
from workflows.errors import BadInput
from workflows.errors.skills import NodeMissing, ScriptNotFound

# Limits of Linux: MAX_ARG_STRLEN for one argument, and half of the smallest ARG_MAX for all.
ARGUMENT_MAX_BYTES = 128 * 1024 - 1
ARGUMENTS_MAX_BYTES = 1024 * 1024

NODES = (Path("/usr/bin/node"), Path("/usr/local/bin/node"))

_SHELLS: Mapping[Language, str] = MappingProxyType(
    {Language.SH: "/bin/sh", Language.BASH: "/bin/bash"}
)


def command_for(
    skill: Skill,
    entry: Entry,
    args: Sequence[str],
    *,
    python_in_sandbox: str,
    has_venv: bool,
    node_in_sandbox: str | None = None,
) -> tuple[str, ...]:
    """The command line of a script, such as ``scripts/clean.py``, with paths as inside.

    ``node_in_sandbox`` is looked for on this machine when it is None: /usr is the same inside.

    Raises:
        ScriptNotFound: the skill has no such script.
        NodeMissing: a JavaScript file, and no Node.js to run it.
        BadInput: an argument that no program can be given.
    """
    script = entry.path
    if script not in skill.runnable:
        known = ", ".join(skill.scripts) or "none"
        raise ScriptNotFound(skill=skill.name, script=script, scripts=f"It has: {known}.")
    _check_arguments(args)
    path = f"{SKILLS_FOLDER}/{skill.name}/{script}"
    language = language_of(script, _first_line(skill.folder / script))
    if language is Language.PYTHON:
        python = f"{VENV_FOLDER}/bin/python" if has_venv else python_in_sandbox
        if entry.module is not None:
            # -P: not from the current folder, where the script writes what it makes.
            return (python, *PYTHON_FLAGS, "-P", "-m", entry.module, *args)
        return (python, *PYTHON_FLAGS, path, *args)
    if language is not None and language in _SHELLS:
        return (_SHELLS[language], path, *args)
    return (node_in_sandbox or find_node(skill.name, script), path, *args)


def code_command(
    code: Code, path: str, args: Sequence[str], *, python_in_sandbox: str
) -> tuple[str, ...]:
    """The command line of a user's own code, which lies at ``path`` inside.

    Raises:
        NodeMissing: JavaScript, and no Node.js to run it.
        BadInput: an argument that no program can be given.
    """
    _check_arguments(args)
    if code.language == "python":
        return (python_in_sandbox, *PYTHON_FLAGS, path, *args)
    if code.language == "shell":
        return (_SHELLS[Language.SH], path, *args)
    return (find_node("code", path), path, *args)


def _check_arguments(args: Sequence[str]) -> None:
    try:
        sizes = [len(arg.encode()) for arg in args]
    except UnicodeEncodeError as error:
        raise BadInput(reason="An argument holds half of a surrogate pair; remove it") from error
    if any("\0" in arg for arg in args):
        raise BadInput(reason="An argument holds a NUL character; remove it")
    if any(size > ARGUMENT_MAX_BYTES for size in sizes) or sum(sizes) > ARGUMENTS_MAX_BYTES:
        reason = (
            f"Arguments over {ARGUMENT_MAX_BYTES} bytes each or {ARGUMENTS_MAX_BYTES} bytes "
            "together cannot be passed; give the text as an input file"
        )
        raise BadInput(reason=reason)


def _first_line(script: Path) -> bytes:
    try:
        with script.open("rb") as stream:
            return stream.readline(FIRST_LINE_MAX_BYTES)
    except OSError:
        return b""  # Swept a moment ago: the sandbox says that it is not there.


def find_node(skill: str, script: str, candidates: Sequence[Path] = NODES) -> str:
    """The Node.js that the sandbox shares with this machine.

    Raises:
        NodeMissing: with how to get it.
    """
    for node in candidates:
        if node.exists():
            return str(node)
    raise NodeMissing(skill=skill, script=script)
