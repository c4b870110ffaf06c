"""The files of a skill's folder: which of them count, and one digest over all of them.

A skill is untrusted. No link is followed out of its folder, nothing but regular files is opened,
and everything has a limit.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.units import MEBIBYTE
from workflows.errors import SkillRefused

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


def list_files(folder: Path) -> Listing:
    """Look at every file under a skill's folder without opening any.

    Raises:
        SkillRefused: there is more in it than the limits allow.
        OSError: it cannot be listed.
    """
    files: list[SkillFile] = []
    warnings: list[str] = []
    root = os.path.realpath(folder)
    total_bytes = 0
    for path, entry in _walk(root, warnings):
        try:
            file = _regular_file(root, path, entry)
        except (ValueError, OSError) as error:
            warnings.append(f"{_shown(path)}: left out: {_reason(error)}")
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


def _walk(root: str, warnings: list[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    pending = [("", root)]
    folders = 0
    while pending:
        prefix, folder = pending.pop()
        folders += 1
        if folders > FOLDERS_MAX:
            reason = f"it holds more than {FOLDERS_MAX} folders"
            raise SkillRefused(skill=Path(root).name, reason=reason)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in _LEFTOVERS:
                    continue
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{path}/", entry.path))
                else:
                    yield path, entry


def _regular_file(root: str, path: str, entry: os.DirEntry[str]) -> SkillFile:
    if not path.isprintable():  # also false for names that are not UTF-8
        raise ValueError("its name is not printable")
    source = entry.path
    status = entry.stat(follow_symlinks=False)
    if entry.is_symlink():
        source = os.path.realpath(entry.path)
        if not source.startswith(root + os.sep):
            raise ValueError("it is a link out of the skill's folder")
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
