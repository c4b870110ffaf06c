"""Takes the files that a job left in its output folder, and believes nothing about them.

To be called when no process of the job is alive: what is checked here must not change meanwhile.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import FileIO
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from activities.sandbox.base import Limits
from activities.sandbox.folders import OPEN_FOLDER, Entry, walk
from activities.sandbox.names import objection, printable
from workflows.errors.scripts import OutputChanged, OutputTooLarge, TooManyFiles

MAX_DEPTH = 32
MAX_REFUSALS = 100

_READ_BYTES = 1024 * 1024
# A FIFO would make us wait for a writer, a link would lead away; neither must happen even once.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KINDS = (
    (stat.S_ISLNK, "it is a symbolic link"),
    (stat.S_ISFIFO, "it is a FIFO"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISBLK, "it is a block device"),
    (stat.S_ISCHR, "it is a character device"),
)


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """``name`` is relative to the folder, with slashes. The last two tell if it was changed."""

    name: str
    size: int
    sha256: str
    inode: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not taken; ``name`` is escaped so that it can be printed anywhere."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Sorted by name. There are at most MAX_REFUSALS refusals, and one that counts the rest."""

    files: tuple[CollectedFile, ...]
    refused: tuple[Refusal, ...]


class _Refused(Exception):
    """Why a file is not taken."""


def collect(
    folder: Path, limits: Limits | None = None, *, baseline: Mapping[str, str] | None = None
) -> Collection:
    """Read every file in the folder once.

    ``baseline`` maps names to the SHA-256 that they had before: files which still have it are left
    out. Blocks while it reads; call it in a thread.

    Raises:
        TooManyFiles, OutputTooLarge: the folder is over ``limits``; nothing is collected.
        OSError: the folder itself cannot be read.
    """
    limits = limits or Limits()
    known = baseline or {}
    files: list[CollectedFile] = []
    refused: list[Refusal] = []

    def refuse(path: str, reason: str) -> None:
        refused.append(Refusal(printable(path), reason))

    _check_bounds(walk(folder), limits)
    unread = partial(refuse, reason="it is a folder that cannot be read")
    for entry in walk(folder, on_unreadable=unread):
        if entry.depth > MAX_DEPTH:
            continue
        try:
            file = _take(entry, limits)
        except _Refused as refusal:
            refuse(entry.path, str(refusal))
            continue
        if file and known.get(file.name) != file.sha256:
            files.append(file)
    return Collection(tuple(sorted(files, key=attrgetter("name"))), _shortened(refused))


def open_collected(folder: Path, file: CollectedFile) -> BinaryIO:
    """Open a file again, from its first byte, exactly as it was collected.

    Raises:
        OutputChanged: it is not there any more, or is not what it was.
    """
    *parents, name = file.name.split("/")
    held = os.open(folder, OPEN_FOLDER)
    try:
        for parent in parents:
            inner = os.open(parent, OPEN_FOLDER, dir_fd=held)
            os.close(held)
            held = inner
        descriptor = os.open(name, _OPEN_FILE, dir_fd=held)
    except OSError as error:
        raise OutputChanged(name=file.name) from error
    finally:
        os.close(held)
    status = os.fstat(descriptor)
    if (status.st_ino, status.st_ctime_ns, status.st_size) != (
        file.inode,
        file.changed_ns,
        file.size,
    ):
        os.close(descriptor)
        raise OutputChanged(name=file.name)
    return os.fdopen(descriptor, "rb")


def _check_bounds(entries: Iterator[Entry], limits: Limits) -> None:
    size = 0
    for count, entry in enumerate(entries, start=1):
        if count > limits.files:
            raise TooManyFiles(limit=limits.files)
        if entry.is_file:
            # The size that would be uploaded: a sparse file takes next to nothing on the disk.
            size += entry.status.st_size
        if size > limits.disk_bytes:
            raise OutputTooLarge(limit_bytes=limits.disk_bytes)


def _take(entry: Entry, limits: Limits) -> CollectedFile | None:
    """Check one entry and read it; None for a folder."""
    if entry.is_folder:
        if entry.depth == MAX_DEPTH:
            raise _Refused(f"it is a folder {MAX_DEPTH} levels deep, and so is what it holds")
        return None
    for is_kind, what in _KINDS:
        if is_kind(entry.status.st_mode):
            raise _Refused(what)
    if reason := objection(entry.path):
        raise _Refused(reason)
    if entry.status.st_size > limits.file_bytes:
        raise _Refused(f"it has more than the {limits.file_bytes} bytes allowed for one file")
    try:
        descriptor = os.open(entry.name, _OPEN_FILE, dir_fd=entry.parent)
    except OSError as error:
        raise _Refused(f"it cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb", buffering=0) as source:
        return _read(entry, source)


def _read(entry: Entry, source: FileIO) -> CollectedFile:
    status = os.fstat(source.fileno())
    if not stat.S_ISREG(status.st_mode) or not os.path.samestat(status, entry.status):
        raise _Refused("it was replaced while it was looked at")
    if status.st_nlink != 1:
        raise _Refused("it is a hard link: it has another name somewhere")
    digest, size = hashlib.sha256(), 0
    # No further than its size: a file that somebody still writes to might never end.
    while size < status.st_size and (piece := source.read(_READ_BYTES)):
        digest.update(piece)
        size += len(piece)
    if size != status.st_size or os.fstat(source.fileno()).st_mtime_ns != status.st_mtime_ns:
        raise _Refused("it changed while it was read")
    return CollectedFile(entry.path, size, digest.hexdigest(), status.st_ino, status.st_ctime_ns)


def _shortened(refused: list[Refusal]) -> tuple[Refusal, ...]:
    further = len(refused) - MAX_REFUSALS
    shown = sorted(refused, key=attrgetter("name"))[:MAX_REFUSALS]
    if further > 0:
        shown.append(Refusal("...", f"and {further} more were refused"))
    return tuple(shown)
