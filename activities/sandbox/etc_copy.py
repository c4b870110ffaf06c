"""Copying files of this machine for jobs to see: how, how much, and when they have changed."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from activities.sandbox.folders import make_open_folder
from activities.sandbox.reach import NOBODY_UID, barrier_before
from activities.units import MEBIBYTE

# What there is takes some 500 KB. A file that lies there by mistake must not fill the disk.
MAX_BYTES = 16 * MEBIBYTE

# What a change of a file changes: its inode, when it was changed, and its size.
State = tuple[str, int, int, int]


class TooLarge(Exception):
    """More would be copied than may be."""


class Budget:
    """How much may still be copied."""

    def __init__(self) -> None:
        self._left = MAX_BYTES

    def read(self, path: Path, file: BinaryIO) -> bytes:
        """All of a file.

        Raises:
            TooLarge: it has more.
        """
        size = os.fstat(file.fileno()).st_size  # Not what it takes: it may be one of holes.
        self._left -= size
        if self._left < 0:
            raise TooLarge(f"with {path} it is more than {MAX_BYTES // MEBIBYTE} MiB")
        return file.read(size)


def make_folders(top: Path, folder: Path) -> None:
    if folder != top and not folder.exists():
        make_folders(top, folder.parent)
        make_open_folder(folder)


def is_closed_above(path: Path) -> bool:
    """Whether it lies behind a folder that no job can pass.

    Raises:
        FileNotFoundError: there is nothing at the path.
    """
    return barrier_before(path, NOBODY_UID if os.geteuid() == 0 else None) is not None


def copy_if_readable(source: Path, to: Path, budget: Budget) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        _copy(source, to, budget)


def _copy(source: Path, to: Path, budget: Budget) -> None:
    """With its permissions: nobody can read more of the copy. What no job could read in its place
    is left out, and so is all that is no file, folder or link."""
    status = source.lstat()
    if os.geteuid() == 0 and not _is_for_others(status.st_mode):  # We could, no job's user can.
        return
    if stat.S_ISLNK(status.st_mode):
        to.symlink_to(source.readlink())
    elif stat.S_ISDIR(status.st_mode):
        names = sorted(entry.name for entry in source.iterdir())
        to.mkdir()
        for name in names:
            copy_if_readable(source / name, to / name, budget)
        to.chmod(stat.S_IMODE(status.st_mode) & 0o777)
    elif stat.S_ISREG(status.st_mode):
        with source.open("rb") as file, to.open("xb") as copied:
            os.fchmod(copied.fileno(), stat.S_IMODE(status.st_mode) & 0o777)
            copied.write(budget.read(source, file))


def _is_for_others(mode: int) -> bool:
    if stat.S_ISDIR(mode):
        return bool(mode & stat.S_IXOTH)
    return stat.S_ISLNK(mode) or bool(mode & stat.S_IROTH)


def states(path: Path) -> Iterator[State]:
    """Of what is at the path, and of all below it."""
    try:
        status = path.stat()
    except OSError:
        return
    yield str(path), status.st_ino, status.st_ctime_ns, status.st_size
    if stat.S_ISDIR(status.st_mode):
        with contextlib.suppress(OSError), os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    yield from states(Path(entry.path))
                else:
                    status = entry.stat(follow_symlinks=False)
                    yield entry.path, status.st_ino, status.st_ctime_ns, status.st_size
