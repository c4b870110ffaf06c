"""The files of a skill's folder: which of them count, and one digest over all of them.

A skill is untrusted. No link is followed out of the folder of skills that it lies in, nothing but
regular files is opened, and everything has a limit.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.units import MEBIBYTE
from workflows.errors.skills import SkillRefused

FILES_MAX = 1_000
FOLDERS_MAX = 1_000
TOTAL_MAX_BYTES = 64 * MEBIBYTE
TEXT_MAX_BYTES = MEBIBYTE  # of a file that is given to a reader whole
CHUNK_BYTES = MEBIBYTE

# What tools leave behind: it would change the digest of a skill that nobody changed.
_LEFTOVERS = frozenset({".git", "__pycache__", ".DS_Store"})


@dataclass(frozen=True, slots=True)
class SkillFile:
    """``path`` is relative to the folder, with ``/``; ``source`` is absolute, links resolved."""

    path: str
    source: str
    size_bytes: int
    executable: bool
    changed_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files sorted by path, and what was left out and why."""

    files: tuple[SkillFile, ...]
    warnings: tuple[str, ...]

    def find(self, path: str) -> SkillFile | None:
        return next((file for file in self.files if file.path == path), None)


def list_files(folder: Path, root: Path | None = None) -> Listing:
    """Look at every file under a skill's folder without opening any.

    Links are followed within ``root``, which is the folder itself when it is None.

    Raises:
        SkillRefused: there is more in it than the limits allow.
        OSError: it cannot be listed.
    """
    files: list[SkillFile] = []
    warnings: list[str] = []
    bounds = os.path.realpath(root or folder)
    total_bytes = 0
    for path, source in _walk(os.path.realpath(folder), bounds, warnings):
        try:
            file = _regular_file(path, source)
        except (ValueError, OSError) as error:
            warnings.append(left_out(path, _reason(error)))
        else:
            files.append(file)
            total_bytes += file.size_bytes
        if len(files) + len(warnings) > FILES_MAX:
            raise SkillRefused(skill=folder.name, reason=f"it holds more than {FILES_MAX} files")
        _check_total(folder, total_bytes)
    return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(warnings))


def open_file(file: SkillFile) -> int:
    """Open a listed file for reading; the descriptor is the caller's to close.

    Raises:
        OSError: it is gone, or is no longer a regular file.
    """
    # Without O_NONBLOCK, opening a FIFO that took the file's place would hang.
    descriptor = os.open(file.source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{file.path} is not a regular file")
    return descriptor


def digest_of(folder: Path, listing: Listing) -> str:
    """SHA-256, in hexadecimal, over each file's path, executable bit and content.

    Raises:
        SkillRefused: the files have grown over the limit since they were listed.
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    read_bytes = 0
    for file in listing.files:
        content = hashlib.sha256()
        with os.fdopen(open_file(file), "rb", buffering=0) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                content.update(chunk)
                read_bytes += len(chunk)
                _check_total(folder, read_bytes)
        # Unambiguous: a path holds no newline, see _regular_file.
        kind = "x" if file.executable else "-"
        digest.update(f"{content.hexdigest()} {kind} {file.path}\n".encode())
    return digest.hexdigest()


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path, its links followed, is outside of ``root``."""
    return not _is_within(os.path.realpath(path), os.path.realpath(root))


def left_out(path: str, reason: str) -> str:
    """The warning of a file that is no part of the skill although it is in its folder."""
    return f"{_shown(path)}: left out: {reason}"


def _walk(folder: str, bounds: str, warnings: list[str]) -> Iterator[tuple[str, str]]:
    """Every file as its path below ``folder`` and where it is, all links followed."""
    pending: list[tuple[str, str, tuple[str, ...]]] = [("", folder, (folder,))]
    folders = 0
    while pending:
        prefix, place, above = pending.pop()
        folders += 1
        if folders > FOLDERS_MAX:
            reason = f"it holds more than {FOLDERS_MAX} folders"
            raise SkillRefused(skill=Path(folder).name, reason=reason)
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name in _LEFTOVERS:
                    continue
                path = prefix + entry.name
                source = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                if problem := _problem_with_link(source, bounds, above):
                    warnings.append(left_out(path, problem))
                elif os.path.isdir(source):  # noqa: PTH112
                    pending.append((f"{path}/", source, (*above, source)))
                else:
                    yield path, source


def _problem_with_link(source: str, bounds: str, above: tuple[str, ...]) -> str | None:
    if not _is_within(source, bounds):
        return "it is a link that leads out of the folder of skills"
    # Else a link to a folder that it lies in would be followed for ever.
    return "it is a link to a folder around it" if source in above else None


def _is_within(path: str, bounds: str) -> bool:
    return path == bounds or path.startswith(bounds.rstrip(os.sep) + os.sep)


def _regular_file(path: str, source: str) -> SkillFile:
    if not path.isprintable():  # also false for names that are not UTF-8
        raise ValueError("its name is not printable")
    status = Path(source).lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    executable = bool(status.st_mode & 0o111)
    return SkillFile(path, source, status.st_size, executable, status.st_ctime_ns, status.st_ino)


def _check_total(folder: Path, total_bytes: int) -> None:
    if total_bytes > TOTAL_MAX_BYTES:
        mebibytes = TOTAL_MAX_BYTES // MEBIBYTE
        raise SkillRefused(skill=folder.name, reason=f"its files exceed {mebibytes} MiB")


def _shown(path: str) -> str:
    return path if path.isprintable() else ascii(path)


def _reason(error: ValueError | OSError) -> str:
    return (error.strerror or "it cannot be read") if isinstance(error, OSError) else str(error)
