"""Requirements and locks of a skill: names, versions and hashes, and nothing else.

A skill is untrusted, and its requirements are passed to an installer. So each one is parsed and
rewritten, and everything else in pip's format is refused: addresses, paths, options.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from workflows.errors.skills import DependencyRefused

REQUIREMENTS_MAX = 500
REQUIREMENT_MAX_CHARACTERS = 500

# No `$`: installers replace `${NAME}` by the worker's environment. No `\`, `#` and line break:
# they would end or join lines in the file that the installer reads.
_ALLOWED = re.compile(r"[A-Za-z0-9 ._\-\[\],<>=!~;()'\"*+@:/]*")
_HASH_OPTION = re.compile(r"\s--hash[=\s]\s*(\S+)")
_HASH = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of one package and the hashes that its files may have."""

    name: str
    version: str
    requirement: str
    hashes: tuple[str, ...]


def parse_requirement(text: str, where: str) -> str:
    """One requirement (PEP 508: name, extras, versions, marker), rewritten.

    Raises:
        DependencyRefused: it is anything else.
    """
    return str(_parse(text, where))


def parse_requirements(text: str, where: str) -> tuple[str, ...]:
    """The requirements of a requirements.txt, its hashes left aside.

    Raises:
        DependencyRefused: with file and line.
    """
    return tuple(str(line.requirement) for line in _lines(text, where))


def has_hashes(text: str) -> bool:
    return _HASH_OPTION.search(text) is not None


def parse_lock(text: str, where: str) -> tuple[Pin, ...]:
    """The pins of a lock, as ``uv pip compile --generate-hashes`` writes one.

    Raises:
        DependencyRefused: with file and line; also for a line without version or hash.
    """
    return tuple(_pin(line) for line in _lines(text, where))


def render_lock(pins: Sequence[Pin]) -> str:
    return "".join(
        " \\\n    ".join((pin.requirement, *(f"--hash={value}" for value in pin.hashes))) + "\n"
        for pin in pins
    )


def check_covers(pins: Sequence[Pin], requirements: Sequence[str], where: str) -> None:
    """Refuse a lock that is older than what it locks.

    Raises:
        DependencyRefused: a requirement is not in the lock, or not in a version it allows.
    """
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is not None:
            continue  # it may not apply here, and then the lock leaves it out
        name = canonicalize_name(wanted.name)
        versions = (pin.version for pin in pins if pin.name == name)
        if not any(wanted.specifier.contains(version, prereleases=True) for version in versions):
            raise _refused(where, text, "its lock does not contain it; recreate the lock")


def decode(content: bytes) -> str:
    """The text of a requirements file: UTF-8, or UTF-16 as PowerShell's ``>`` writes it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


@dataclass(frozen=True, slots=True)
class _Line:
    place: str
    requirement: Requirement
    hashes: tuple[str, ...]


def _lines(text: str, where: str) -> Iterator[_Line]:
    for count, (number, line) in enumerate(_logical_lines(text)):
        place = f"{where}, line {number}"
        if count == REQUIREMENTS_MAX:
            reason = f"there are over {REQUIREMENTS_MAX} requirements"
            raise DependencyRefused(where=place, reason=reason)
        if line.startswith("-"):
            raise _refused(place, line, "options are not taken")
        hashes = tuple(_HASH_OPTION.findall(line))
        for value in hashes:
            if not _HASH.fullmatch(value):
                raise _refused(place, value, "it is not a SHA-2 hash")
        yield _Line(place, _parse(_HASH_OPTION.sub("", line), place), hashes)


def _pin(line: _Line) -> Pin:
    requirement = line.requirement
    exact = [s.version for s in requirement.specifier if s.operator == "=="]
    if len(exact) != 1 or len(requirement.specifier) != 1 or exact[0].endswith(".*"):
        raise _refused(line.place, str(requirement), "a lock gives each one version, with ==")
    if not line.hashes:
        raise _refused(line.place, str(requirement), "a lock gives each a --hash")
    name = canonicalize_name(requirement.name)
    return Pin(name, exact[0], str(requirement), line.hashes)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, with continuations joined, and the number of their first."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        content = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        parts.append(content.removesuffix("\\"))
        if content.endswith("\\"):
            continue
        if joined := " ".join(parts).strip():
            yield start, joined
        parts = []
    if joined := " ".join(parts).strip():
        yield start, joined


def _parse(text: str, where: str) -> Requirement:
    text = text.strip()
    if len(text) > REQUIREMENT_MAX_CHARACTERS:
        raise _refused(where, text, f"it is over {REQUIREMENT_MAX_CHARACTERS} characters")
    text = text.replace("\t", " ")
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:  # markers nest
        raise _refused(where, text, "it is not a package name with versions") from error
    if requirement.url is not None:
        raise _refused(where, text, "packages come from the package index only")
    if not _ALLOWED.fullmatch(text):
        raise _refused(where, text, "it holds a character that no requirement needs")
    return requirement


def _refused(where: str, text: str, reason: str) -> DependencyRefused:
    return DependencyRefused(where=f"{where}: {text[:100]!r}", reason=reason)
