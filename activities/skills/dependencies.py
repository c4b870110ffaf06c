"""What a script needs to run: its inline metadata (PEP 723) or the skill's requirements.txt, or
what its pyproject.toml says of a project.

A lock that the skill ships wins over what a resolver would choose today: ``scripts/x.py.lock``
for one script, ``requirements.lock`` for the skill. Both are in the format of ``uv pip compile
--generate-hashes``. A shell script that calls Python gets what requirements.txt asks for; others,
and those in JavaScript, have no dependencies.

Prefer the skill's lock: ``uv run`` fails on a script that has one of its own in this format.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import structlog
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activities.skills.entries import FIRST_LINE_MAX_BYTES, Language, language_of
from activities.skills.requirements import (
    REQUIREMENTS_MAX,
    Pin,
    check_covers,
    decode,
    has_hashes,
    parse_lock,
    parse_requirement,
    parse_requirements,
    render_lock,
)
from workflows.errors.skills import DependencyRefused

SCRIPT_MAX_BYTES = 8 * 1024 * 1024
BLOCK_MAX_CHARACTERS = 64 * 1024
LOCK_MAX_BYTES = 1024 * 1024

_BLOCK_START = re.compile(r"# /// ([A-Za-z0-9-]+)\s*")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Requirements, and the lock (in pip's format, with hashes) where the skill ships one.

    ``declared_in`` is the file that has the requirements, if one has; ``unclosed_line`` is where a
    block begins that never ends, so that it is none.
    """

    skill: str
    script: str
    requirements: tuple[str, ...] = ()
    lock: str | None = None
    requires_python: str | None = None
    declared_in: str | None = None
    is_python: bool = True
    unclosed_line: int | None = None

    @property
    def asks(self) -> bool:
        """Whether it asks for anything at all."""
        return self.installs or self.requires_python is not None

    @property
    def installs(self) -> bool:
        """Whether there is anything to install."""
        return bool(self.requirements or self.lock)

    @property
    def where(self) -> str:
        return f"{self.script} of skill {self.skill}" if self.skill else self.script


class InlineMetadata(BaseModel):
    """The ``script`` block of PEP 723, or the ``project`` of a pyproject.toml. What else they hold,
    such as what tools keep there for themselves, is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    dependencies: list[str] = Field(default=[], max_length=REQUIREMENTS_MAX)
    requires_python: str | None = Field(default=None, alias="requires-python")


def parse_inline_metadata(source: str, where: str) -> InlineMetadata | None:
    """The inline metadata of a Python script, or None.

    Raises:
        DependencyRefused: there are two blocks, or it does not follow PEP 723.
    """
    blocks = list(_script_blocks(source.splitlines()))
    if len(blocks) > 1:
        raise DependencyRefused(where=where, reason="it has two '# /// script' blocks")
    if not blocks:
        return None
    if len(blocks[0]) > BLOCK_MAX_CHARACTERS:
        reason = f"its '# /// script' block is over {BLOCK_MAX_CHARACTERS} characters"
        raise DependencyRefused(where=where, reason=reason)
    block = "its '# /// script' block"
    return _parse(blocks[0], where, document=block, table=block)


def _parse(
    text: str, where: str, *, document: str, table: str, key: str | None = None
) -> InlineMetadata | None:
    """What a TOML document declares, or its table ``key``; None when it has no such table.
    ``document`` and ``table`` are what errors call them."""
    try:
        found = tomllib.loads(text) if key is None else tomllib.loads(text).get(key)
        return None if found is None else InlineMetadata.model_validate(found)
    except ValidationError as error:
        raise DependencyRefused(where=where, reason=_first_problem(error, table)) from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        reason = f"{document} is not TOML: {str(error)[:200]}"
        raise DependencyRefused(where=where, reason=reason) from error


def _first_problem(error: ValidationError, table: str) -> str:
    place = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
    if not place:
        return f"{table} is no table"
    wanted = f"a list of at most {REQUIREMENTS_MAX} texts in quotes"
    if place[0] == "requires-python":
        wanted = 'a text in quotes, such as ">=3.11"'
    return f"{'.'.join(map(str, place))} of {table} is wrong: {place[0]} must be {wanted}"


def _script_blocks(lines: list[str]) -> Iterator[str]:
    """The content of each `# /// script` block; a block that never ends is none (PEP 723)."""
    number = 0
    while number < len(lines):
        start = _BLOCK_START.fullmatch(lines[number])
        number += 1
        end = _block_end(lines, number) if start else None
        if start and end is not None:
            if start[1] == "script":
                yield "\n".join(line[2:] for line in lines[number:end])
            number = end + 1


def unclosed_line(source: str) -> int | None:
    """The number of the line that begins a `# /// script` block which never ends, if one does."""
    lines = source.splitlines()
    starts = (n for n, line in enumerate(lines, 1) if line.rstrip() == "# /// script")
    return next((number for number in starts if _block_end(lines, number) is None), None)


def _block_end(lines: list[str], first: int) -> int | None:
    end = first
    while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
        end += 1
    # The last `# ///` of a run of comments, not the first: TOML may hold such a line itself.
    return next((n for n in range(end - 1, first, -1) if lines[n].rstrip() == "# ///"), None)


def find_dependencies(skill: str, folder: Path, script: str) -> Dependencies:
    """What a script of the skill in ``folder`` needs.

    Raises:
        DependencyRefused: the declaration is broken, or asks for what an untrusted skill must not.
    """
    where = f"{script} of skill {skill}"
    source = _read_bytes(folder / script, where, SCRIPT_MAX_BYTES) or b""
    language = language_of(script, source[:FIRST_LINE_MAX_BYTES])
    calls_python = language in (Language.SH, Language.BASH) and b"python" in source
    if language is not Language.PYTHON and not calls_python:
        return Dependencies(skill, script, is_python=False)
    is_python = language is Language.PYTHON
    inline = unclosed = None
    if is_python:
        text = source.decode("utf-8-sig", "replace")
        inline = parse_inline_metadata(text, where)
        unclosed = unclosed_line(text) if inline is None else None
    if inline is None:
        declared_in, requirements, pins, python = _declared_beside(skill, folder, script)
    else:
        declared_in, pins = script, ()
        requirements, python = _declared(inline, where)
    pins = _shipped_lock(skill, folder, script) or pins
    if pins:
        check_covers(pins, requirements, where)
    lock = render_lock(pins) or None
    return Dependencies(skill, script, requirements, lock, python, declared_in, is_python, unclosed)


def find_shared_dependencies(skill: str, folder: Path, scripts: Sequence[str]) -> Dependencies:
    """What all scripts of a skill need together, for code that uses the skill.

    That is its requirements.txt or pyproject.toml or, if it has neither, what its Python
    ``scripts`` declare; a Python must suit each of them.

    Raises:
        DependencyRefused: as ``find_dependencies``.
    """
    nowhere = "scripts/code"
    declared_in, requirements, pins, python = _declared_beside(skill, folder, nowhere)
    if declared_in is not None:
        lock = render_lock(_shipped_lock(skill, folder, nowhere) or pins) or None
        return Dependencies(skill, "code", requirements, lock, python, declared_in)
    each = [find_dependencies(skill, folder, script) for script in scripts]
    together = dict.fromkeys(text for item in each for text in item.requirements)
    pythons = dict.fromkeys(item.requires_python for item in each if item.requires_python)
    return Dependencies(
        skill, "code", tuple(together), requires_python=",".join(pythons) if pythons else None
    )


def declared_in_code(source: str, where: str) -> Dependencies | None:
    """What code of somebody's own declares in a `# /// script` block; None when it has none.

    Raises:
        DependencyRefused: the block is broken, or asks for what nobody must.
    """
    inline = parse_inline_metadata(source, where)
    if inline is None:
        return None
    requirements, python = _declared(inline, where)
    return Dependencies(
        "", where, requirements, requires_python=python, declared_in="its `# /// script` block"
    )


def together(code: Dependencies, skill: Dependencies) -> Dependencies:
    """What code declares and what the skill that it uses needs, in one environment.

    Raises:
        DependencyRefused: the skill ships a lock, which has not all that the code declares.
    """
    if skill.lock is not None:
        check_covers(parse_lock(skill.lock, skill.where), code.requirements, code.where)
    pythons = [text for text in (skill.requires_python, code.requires_python) if text]
    return replace(
        skill,
        requirements=tuple(dict.fromkeys((*skill.requirements, *code.requirements))),
        requires_python=",".join(dict.fromkeys(pythons)) or None,
    )


_Found = tuple[str | None, tuple[str, ...], tuple[Pin, ...], str | None]


def _declared_beside(skill: str, folder: Path, script: str) -> _Found:
    """What a file asks for, one beside the script first: path, requirements, lock, Python."""
    for place in dict.fromkeys((PurePosixPath(script).parent, PurePosixPath())):
        for name, read in (("requirements.txt", _requirements), ("pyproject.toml", _project)):
            path = str(place / name)
            content = _read_bytes(folder / path, f"{path} of skill {skill}", LOCK_MAX_BYTES)
            if content is not None and (found := read(content, f"{path} of skill {skill}")):
                return path, *found
    return None, (), (), None


def _requirements(
    content: bytes, where: str
) -> tuple[tuple[str, ...], tuple[Pin, ...], str | None]:
    """Those of a requirements.txt. With hashes it is a lock."""
    text = decode(content)
    pins = parse_lock(text, where) if has_hashes(text) else ()
    return parse_requirements(text, where), pins, None


def _project(
    content: bytes, where: str
) -> tuple[tuple[str, ...], tuple[Pin, ...], str | None] | None:
    """Those of a pyproject.toml; None when it describes no project, only how tools are set."""
    found = _parse(decode(content), where, document="it", table="its `project`", key="project")
    if found is None:
        return None
    requirements, python = _declared(found, where)
    return requirements, (), python


def _declared(metadata: InlineMetadata, where: str) -> tuple[tuple[str, ...], str | None]:
    requirements = tuple(parse_requirement(text, where) for text in metadata.dependencies)
    return requirements, _python_versions(metadata.requires_python, where)


def _shipped_lock(skill: str, folder: Path, script: str) -> tuple[Pin, ...]:
    for path in (f"{script}.lock", "requirements.lock"):
        where = f"{path} of skill {skill}"
        content = _read_bytes(folder / path, where, LOCK_MAX_BYTES)
        if content is None:
            continue
        if not content.startswith(b"version = "):
            return parse_lock(decode(content), where)
        # `uv lock --script` writes a format of its own under the same name.
        remedy = f"uv pip compile --generate-hashes {script} -o requirements.lock"
        log.warning("skill.lock_ignored", skill=skill, lock=path, remedy=remedy)
    return ()


def _python_versions(text: str | None, where: str) -> str | None:
    if text is None:
        return None
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier as error:
        reason = f"requires-python {text[:100]!r} is not a version range"
        raise DependencyRefused(where=where, reason=reason) from error


def _read_bytes(path: Path, where: str, limit_bytes: int) -> bytes | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(limit_bytes + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    if len(content) > limit_bytes:
        raise DependencyRefused(where=where, reason=f"it is over {limit_bytes} bytes")
    return content
