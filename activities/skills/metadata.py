"""A skill as its folder describes it (the Agent Skills format), loaded leniently.

A skill is left out only when it has no description or passes a limit; every other deviation from
the format is corrected and reported in ``Skill.warnings``, as ``file:line: what``.
"""

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from activities.skills.entries import listed_scripts, runnable_files
from activities.skills.files import (
    TEXT_MAX_BYTES,
    Listing,
    SkillFile,
    digest_of,
    leads_out,
    list_files,
    open_file,
)
from activities.skills.frontmatter import FRONTMATTER_MAX_BYTES, Frontmatter, parse_frontmatter
from workflows.definitions.lifetimes import lifetime_of
from workflows.errors.skills import SkillRefused

SKILL_FILES = ("SKILL.md", "skill.md")

# The first three are the format's own; it sets none for the others.
NAME_MAX_CHARACTERS = 64
DESCRIPTION_MAX_CHARACTERS = 1024
COMPATIBILITY_MAX_CHARACTERS = 500
LICENSE_MAX_CHARACTERS = 500
METADATA_MAX_ENTRIES = 64
METADATA_MAX_CHARACTERS = 1024
ALLOWED_TOOLS_MAX_ENTRIES = 128

# In ``metadata``: the skill's results may be kept for so long. Named so that it means nothing else
# to others.
LIFETIME_KEY = "agentos-cache"

# A name is part of file names, which end at 255 bytes: this leaves room for a digest.
NAME_MAX_BYTES = 200

_FIELDS = frozenset(
    {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
)
# `Bash(git add:*) Read`: what stands in parentheses belongs to the tool before it.
_ALLOWED_TOOL = re.compile(r"[^\s,()]+(?:\([^()]*\))?")


@dataclass(frozen=True, slots=True)
class Skill:
    """``scripts`` and ``files`` are paths below ``folder``; ``digest`` covers all of ``files``.

    ``scripts`` are those to be shown; a file of ``runnable`` runs as well when it is named.
    ``name`` is safe as the name of a folder, whatever SKILL.md says. No link is followed out of
    ``root``, or of the folder itself when that is None. ``lifetime``: what its scripts give follows
    from what they are given, and may be kept for so long.
    """

    name: str
    description: str
    folder: Path
    digest: str
    scripts: tuple[str, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    license: str | None
    compatibility: str | None
    metadata: Mapping[str, str]
    allowed_tools: tuple[str, ...]
    runnable: tuple[str, ...] = ()
    root: Path | None = None
    lifetime: timedelta | None = None


def load_skill(folder: Path, listing: Listing | None = None, root: Path | None = None) -> Skill:
    """Read a skill's folder. ``listing`` is what ``list_files`` gave for it, if that was done.

    ``root`` is the folder of skills that it lies in, out of which no link may lead; when it is
    None, none may lead out of the skill itself.

    Raises:
        SkillRefused: no SKILL.md, no description, or over a limit.
        OSError: the folder cannot be read.
    """
    root = root or folder
    listing = listing or list_files(folder, root)
    name, text = _read_skill_file(folder, root, listing)
    head = parse_frontmatter(text[: FRONTMATTER_MAX_BYTES + 1])
    odd_name = [] if name in SKILL_FILES else [f"{name}: should be called SKILL.md"]
    for unknown in head.fields.keys() - _FIELDS:
        head.warn(
            f"the field {unknown[:NAME_MAX_CHARACTERS]} is unknown and was left out",
            line=head.lines[unknown],
        )
    runnable = runnable_files(listing)
    metadata = _metadata(head)
    lifetime = _lifetime(head, metadata)
    return Skill(
        name=_name(head, folder),
        description=_description(head, folder),
        folder=folder,
        root=root,
        digest=digest_of(folder, listing),
        scripts=listed_scripts(runnable, text.decode("utf-8", "replace")),
        runnable=runnable,
        files=tuple(file.path for file in listing.files),
        license=_text(head, "license", LICENSE_MAX_CHARACTERS),
        compatibility=_text(head, "compatibility", COMPATIBILITY_MAX_CHARACTERS),
        metadata=metadata,
        allowed_tools=_allowed_tools(head),
        lifetime=lifetime,
        warnings=(*odd_name, *head.warnings, *listing.warnings),
    )


def find_skill_file(listing: Listing) -> SkillFile | None:
    """Its SKILL.md, or skill.md, or that in other letters: some systems do not tell them apart."""
    name = skill_file_in([file.path for file in listing.files])
    return None if name is None else listing.find(name)


def skill_file_in(files: Sequence[str]) -> str | None:
    """As ``find_skill_file``, of the paths of a skill's files."""
    others = (path for path in files if path.upper() == SKILL_FILES[0].upper())
    return next((name for name in SKILL_FILES if name in files), None) or next(others, None)


def _read_skill_file(folder: Path, root: Path, listing: Listing) -> tuple[str, bytes]:
    file = find_skill_file(listing)
    if file is None:
        raise SkillRefused(skill=folder.name, reason=_why_none(folder, root))
    with os.fdopen(open_file(file), "rb") as stream:
        return file.path, stream.read(TEXT_MAX_BYTES)


def _why_none(folder: Path, root: Path) -> str:
    for path in (folder / name for name in SKILL_FILES):
        if path.is_symlink() and leads_out(path, root):
            return f"its {path.name} is a link that leads out of the folder of skills"
        if path.is_symlink():
            return f"its {path.name} is a link to nothing that can be read"
    return "it has no SKILL.md"


def _name(head: Frontmatter, folder: Path) -> str:
    declared = _text(head, "name", None)
    if declared is None:
        head.warn("has no name; the folder's is used")
    line = head.lines.get("name")
    name = _safe_name(declared or folder.name) or _safe_name(folder.name) or "skill"
    if declared is not None and name != declared:
        head.warn(
            f"the name is not 1-64 lowercase letters, digits and single hyphens; it goes by {name}",
            line=line,
        )
    if unicodedata.normalize("NFKC", folder.name) != name:
        head.warn(f"the name {name} is not the folder's", line=line)
    return name


def _safe_name(text: str) -> str:
    text = unicodedata.normalize("NFKC", text[: 4 * NAME_MAX_CHARACTERS]).lower()
    words = "".join(c if c.isalnum() else " " for c in text).split()
    name = "-".join(words)[:NAME_MAX_CHARACTERS]
    return name.encode()[:NAME_MAX_BYTES].decode(errors="ignore").strip("-")


def _description(head: Frontmatter, folder: Path) -> str:
    text = _text(head, "description", DESCRIPTION_MAX_CHARACTERS)
    if text is None:
        raise SkillRefused(skill=folder.name, reason="its SKILL.md has no description")
    return text


def _text(head: Frontmatter, name: str, limit_characters: int | None) -> str | None:
    """A field as text, cut to its limit; None when it is absent, empty or no text."""
    value = head.fields.get(name)
    if isinstance(value, tuple):
        head.warn(f"{name} is a list; its items were joined", line=head.lines[name])
        value = ", ".join(value)
    if isinstance(value, Mapping):
        head.warn(f"{name} is not text and was left out", line=head.lines[name])
        return None
    if value and limit_characters is not None and len(value) > limit_characters:
        head.warn(f"{name} was cut to {limit_characters} characters", line=head.lines[name])
        value = value[:limit_characters]
    return value or None


def _metadata(head: Frontmatter) -> Mapping[str, str]:
    value = head.fields.get("metadata", {})
    line = head.lines.get("metadata")
    if not isinstance(value, Mapping):
        head.warn("metadata is not a mapping and was left out", line=line)
        return {}
    kept = {
        key: text
        for key, text in list(value.items())[:METADATA_MAX_ENTRIES]
        if len(key) + len(text) <= METADATA_MAX_CHARACTERS
    }
    if len(kept) < len(value):
        head.warn("metadata entries over the limits were left out", line=line)
    return kept


def _lifetime(head: Frontmatter, metadata: Mapping[str, str]) -> timedelta | None:
    declared = metadata.get(LIFETIME_KEY)
    if declared is None or declared.lower() == "false":
        return None
    try:
        return lifetime_of(declared) or None
    except ValueError as error:
        head.warn(f"{LIFETIME_KEY}: {error}", line=head.lines.get("metadata"))
        return None


def _allowed_tools(head: Frontmatter) -> tuple[str, ...]:
    value = head.fields.get("allowed-tools", "")
    line = head.lines.get("allowed-tools")
    if isinstance(value, Mapping):
        head.warn("allowed-tools is not a list and was left out", line=line)
        return ()
    if isinstance(value, tuple):
        head.warn("allowed-tools is a list; the format says words between spaces", line=line)
        value = " ".join(value)
    tools = tuple(_ALLOWED_TOOL.findall(value))
    if len(tools) > ALLOWED_TOOLS_MAX_ENTRIES:
        head.warn(f"only {ALLOWED_TOOLS_MAX_ENTRIES} allowed-tools were kept", line=line)
    return tools[:ALLOWED_TOOLS_MAX_ENTRIES]
