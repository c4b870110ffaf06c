"""The skills that are installed: looked up by name, and noticed when they come, change or go."""

import asyncio
import codecs
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import structlog

from activities.sandbox.base import SKILLS_FOLDER
from activities.skills.entries import Entry, find_entry, read_first_line, why_not
from activities.skills.files import (
    TEXT_MAX_BYTES,
    Listing,
    SkillFile,
    leads_out,
    left_out,
    list_files,
    open_file,
)
from activities.skills.metadata import SKILL_FILES, Skill, find_skill_file, load_skill
from workflows.errors.skills import (
    ScriptNotFound,
    ScriptNotNamed,
    ScriptUnsuitable,
    SkillFileNotFound,
    SkillFileUnreadable,
    SkillNotFound,
    SkillRefused,
)
from workflows.suggestions import nearest

SCAN_INTERVAL_SECONDS = 1.0
SKILLS_MAX = 1_000
NAMES_SHOWN = 20
NAME_SHOWN_CHARACTERS = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a folder gave when its files were ``files``: a skill, or why there is none."""

    files: tuple[SkillFile, ...]
    skill: Skill | SkillRefused


class Catalogue:
    """Skills under some folders, one sub-folder each. On the same name the earlier folder wins.

    The folders are looked at when somebody asks, at most once a second, and only files whose
    inode, size or time of change differ are read again.
    """

    def __init__(self, folders: Sequence[Path], *, is_logged: bool = True) -> None:
        """``is_logged``: whether the log tells what was loaded or refused, and why."""
        self._folders = tuple(folders)
        self._is_logged = is_logged
        self._loaded: dict[Path, _Loaded] = {}
        self._skills: Mapping[str, Skill] = MappingProxyType({})
        self._refused: Mapping[str, SkillRefused] = MappingProxyType({})
        self._scanned_at = -SCAN_INTERVAL_SECONDS
        self._scanning = asyncio.Lock()

    async def skills(self) -> Mapping[str, Skill]:
        """Every usable skill by name, sorted."""
        await self._refresh()
        return self._skills

    async def refused(self) -> Mapping[str, SkillRefused]:
        """The folders that hold a SKILL.md but no usable skill, by folder name."""
        await self._refresh()
        return self._refused

    async def find(self, name: str) -> Skill:
        """The skill of that name.

        Raises:
            SkillNotFound: there is none; the error names the nearest.
            SkillRefused: there is such a folder, but it cannot be used.
        """
        skills = await self.skills()
        if name in skills:
            return skills[name]
        if name in self._refused:
            raise SkillRefused(**self._refused[name].fields)
        suggestion = await asyncio.to_thread(_suggest, name, list(skills), "Skills")
        raise SkillNotFound(skill=_cut(name), suggestion=suggestion)

    async def find_script(self, name: str, script: str | None) -> tuple[Skill, Entry]:
        """A skill and one of its scripts, named as ``find_entry`` takes it.

        ``script`` may be None when the skill has one script, or one in ``scripts/``.

        Raises:
            SkillNotFound, SkillRefused: as ``find``.
            ScriptNotFound: it has no such file, or no script at all.
            ScriptUnsuitable: it has such a file, which cannot be run.
            ScriptNotNamed: None was given and it has more than one.
        """
        skill = await self.find(name)
        if script is None:
            return skill, Entry(_only_script(skill))
        wanted = _relative(skill, script)
        if entry := find_entry(wanted, skill.runnable, skill.files):
            return skill, entry
        for path in (wanted, f"scripts/{wanted}"):
            if path in skill.files:
                raise await asyncio.to_thread(_unsuitable, skill, path)
            if reason := _why_left_out(skill, path):
                reason = reason.removeprefix("it is ")
                raise ScriptUnsuitable(skill=skill.name, script=path, reason=reason)
        raise ScriptNotFound(skill=skill.name, script=_cut(script), scripts=_have(skill))

    async def read(self, name: str, path: str) -> str:
        """The text of one of a skill's files, by its path in the skill or in the sandbox.

        Raises:
            SkillNotFound, SkillRefused: as ``find``.
            SkillFileNotFound: the skill has no such file.
            SkillFileUnreadable: it is over 1 MiB, or no text.
        """
        skill = await self.find(name)
        return await asyncio.to_thread(_read_text, skill, _relative(skill, path))

    async def _refresh(self) -> None:
        async with self._scanning:
            # Read before the scan: what changes while it runs is found by the next one.
            now = time.monotonic()
            if now - self._scanned_at >= SCAN_INTERVAL_SECONDS:
                await asyncio.to_thread(self._scan)
                self._scanned_at = now

    def _scan(self) -> None:
        found: dict[Path, _Loaded] = {}
        for root in self._folders:
            for candidate in _subfolders(root):
                loaded = self._load(candidate, root)
                if loaded is not None and len(found) < SKILLS_MAX:
                    found[candidate] = loaded
        self._loaded = found
        self._publish()

    def _load(self, folder: Path, root: Path) -> _Loaded | None:
        """Load a folder, or take what is known of it. None when it holds no skill."""
        known = self._loaded.get(folder)
        listing = Listing((), ())
        result: Skill | SkillRefused
        try:
            if folder.is_symlink() and leads_out(folder, root):
                reason = "it is a link that leads out of the folder of skills"
                raise SkillRefused(skill=folder.name, reason=reason)
            listing = list_files(folder, root)
            if known is not None and known.files == listing.files and listing.files:
                return known
            if find_skill_file(listing) is None and not _has_broken_link(folder):
                return None
            result = load_skill(folder, listing, root)
        except SkillRefused as refusal:
            result = refusal
        except OSError as error:
            result = SkillRefused(skill=folder.name, reason=error.strerror or "it cannot be read")
        if self._is_logged:
            _tell(folder, result, None if known is None else known.skill)
        return _Loaded(listing.files, result)

    def _publish(self) -> None:
        skills: dict[str, Skill] = {}
        refused: dict[str, SkillRefused] = {}
        for folder, loaded in self._loaded.items():
            if isinstance(loaded.skill, SkillRefused):
                refused.setdefault(folder.name, loaded.skill)
                continue
            first = skills.setdefault(loaded.skill.name, loaded.skill)
            if first is not loaded.skill:
                hidden = f"{folder}: left out: the name {first.name} is taken"
                skills[first.name] = replace(first, warnings=(*first.warnings, hidden))
        self._skills = MappingProxyType(dict(sorted(skills.items())))
        self._refused = MappingProxyType(refused)


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if _may_hold_skill(e))
    except OSError:
        return []  # a folder that does not exist yet is an empty one
    return [folder / name for name in names if name.isprintable()]


def _may_hold_skill(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not entry.is_dir():
        return False
    # Other links, such as to a folder of packages, are nobody's skill.
    return not entry.is_symlink() or any(Path(entry.path, name).exists() for name in SKILL_FILES)


def _has_broken_link(folder: Path) -> bool:
    return any((folder / name).is_symlink() for name in SKILL_FILES)


def _only_script(skill: Skill) -> str:
    inside = [path for path in skill.scripts if path.startswith("scripts/")]
    for paths in (skill.scripts, inside):
        if len(paths) == 1:
            return paths[0]
    if skill.scripts:
        raise ScriptNotNamed(skill=skill.name, scripts=", ".join(skill.scripts[:NAMES_SHOWN]))
    raise ScriptNotFound(skill=skill.name, script="scripts/*", scripts=_have(skill))


def _have(skill: Skill) -> str:
    known = ", ".join(skill.scripts[:NAMES_SHOWN])
    return f"It has: {known}." if known else "It has no scripts."


def _why_left_out(skill: Skill, path: str) -> str | None:
    """Why a file is no part of the skill although it is in its folder."""
    start = left_out(path, "")
    return next((w.removeprefix(start) for w in skill.warnings if w.startswith(start)), None)


def _unsuitable(skill: Skill, path: str) -> ScriptUnsuitable:
    file = list_files(skill.folder, skill.root).find(path)
    reason = why_not(path, read_first_line(file) if file else b"")
    return ScriptUnsuitable(skill=skill.name, script=path, reason=reason)


def _tell(folder: Path, result: Skill | SkillRefused, before: Skill | SkillRefused | None) -> None:
    if isinstance(result, Skill):
        warnings = len(result.warnings)
        log.info("skill.loaded", skill=result.name, digest=result.digest, warnings=warnings)
    elif str(result) != str(before):
        log.warning("skill.refused", folder=str(folder), reason=str(result))


def _relative(skill: Skill, path: str) -> str:
    """``./x``, ``/skills/<name>/x`` and ``x`` name the same file."""
    return str(PurePosixPath(path.removeprefix(f"{SKILLS_FOLDER}/{skill.name}/")))


def _read_text(skill: Skill, path: str) -> str:
    # Only what a new listing holds is opened: no path from outside reaches the file system.
    file = list_files(skill.folder, skill.root).find(path)
    if file is None:
        suggestion = _suggest(path, list(skill.files), "Files")
        raise SkillFileNotFound(skill=skill.name, path=_cut(path), suggestion=suggestion)
    try:
        with os.fdopen(open_file(file), "rb") as stream:
            content = stream.read(TEXT_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise SkillFileUnreadable(skill=skill.name, path=path, reason=reason) from error
    if len(content) > TEXT_MAX_BYTES:
        reason = f"it is over {TEXT_MAX_BYTES} bytes"
        raise SkillFileUnreadable(skill=skill.name, path=path, reason=reason)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise SkillFileUnreadable(skill=skill.name, path=path, reason="it is not text")
    return content.decode("utf-8-sig", "replace")


def _suggest(name: str, known: list[str], what: str) -> str:
    if near := nearest(name, known):
        return f"Did you mean {near}?"
    return f"{what}: {', '.join(known[:NAMES_SHOWN])}." if known else f"{what}: none."


def _cut(name: str) -> str:
    return name[:NAME_SHOWN_CHARACTERS]
