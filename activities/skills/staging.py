"""Copies of skills from which they run: named by what they hold, never changed once made.

A copy is readable by the sandbox's user even where the skill itself is not, and a skill that is
edited while it runs continues with the files it started with.
"""

import asyncio
import contextlib
import os
import shutil
import time
import uuid
from pathlib import Path

import structlog

from activities.skills.files import SkillFile, digest_of, list_files, open_file
from activities.skills.metadata import Skill
from workflows.definitions.pipeline import MAX_TIMEOUT
from workflows.errors.skills import SkillRefused

DIGEST_CHARACTERS = 16

# An older copy of a skill is kept this long after its last use: far longer than a job may run, and
# wait before that.
KEEP_SECONDS = 3 * MAX_TIMEOUT.total_seconds()

log = structlog.get_logger(__name__)


class Stage:
    """Keeps copies under ``<work_folder>/skills``; any number of workers may share it."""

    def __init__(self, work_folder: Path) -> None:
        self._folder = work_folder / "skills"

    async def place(self, skill: Skill) -> Path:
        """The folder of a copy of the skill. Costs one system call when it is there already.

        Raises:
            SkillRefused: the skill has gone, or passed a limit, since it was loaded.
        """
        copy = self._folder / f"{skill.name}-{skill.digest[:DIGEST_CHARACTERS]}"
        if _mark_used(copy):
            return copy
        return await asyncio.to_thread(self._copy, skill)

    def _copy(self, skill: Skill) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o755)
        partial = self._folder / f".{skill.name}-{uuid.uuid4().hex}"
        try:
            digest = _copy_files(skill, partial)
            # Named by what was copied, which an edit since the scan can make another.
            copy = self._folder / f"{skill.name}-{digest[:DIGEST_CHARACTERS]}"
            _rename(partial, copy)
        except OSError as error:
            reason = f"it could not be copied: {error.strerror or error}"
            raise SkillRefused(skill=skill.name, reason=reason) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        log.info("skill.staged", skill=skill.name, digest=digest)
        sweep(self._folder)
        return copy


def sweep(folder: Path) -> None:
    """Remove the copies that no job can be using any more."""
    oldest = time.time() - KEEP_SECONDS
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another worker sweeps too
            if entry.lstat().st_mtime < oldest:
                # Renamed first, so that a half-removed copy is never taken for a whole one.
                doomed = entry.rename(folder / f".{uuid.uuid4().hex}")
                shutil.rmtree(doomed, ignore_errors=True)


def _mark_used(copy: Path) -> bool:
    try:
        os.utime(copy)
    except FileNotFoundError:
        return False
    return True


def _copy_files(skill: Skill, target: Path) -> str:
    target.mkdir(mode=0o755)
    for file in list_files(skill.folder, skill.root).files:
        destination = target / file.path
        destination.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(file, destination)
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)  # whatever the umask
    return digest_of(skill.folder, list_files(target))


def _copy_file(file: SkillFile, destination: Path) -> None:
    with os.fdopen(open_file(file), "rb") as source, destination.open("xb") as copy:
        shutil.copyfileobj(source, copy)
    destination.chmod(0o755 if file.executable else 0o644)


def _rename(partial: Path, copy: Path) -> None:
    try:
        partial.rename(copy)
    except OSError:
        if not copy.is_dir():
            raise
        # Another worker was quicker, with the same content.
