"""Walking, giving away and taking back the output folder of a job, which may be built to hurt.

No link is followed, nothing but folders is opened, and no path is put together from names: each
folder is opened from its parent's descriptor.
"""

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from activities.sandbox.unavailable import not_given

# Walking holds a descriptor for each level, and common tools recurse: 1000 levels break them.
MAX_DEPTH = 64

_FEW_FILES = 4

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


@dataclass(frozen=True, slots=True)
class Entry:
    """Something below a folder.

    ``path`` is relative to that folder, ``depth`` the number of folders between the two, and
    ``parent`` a descriptor that is open only until the next entry is asked for.
    """

    parent: int
    name: str
    path: str
    depth: int
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)


def _ignore(_: str) -> None:
    pass


def walk(
    top: Path, *, on_unreadable: Callable[[str], None] = _ignore, insist: bool = False
) -> Iterator[Entry]:
    """Everything below ``top``, each folder before what is in it.

    Folders at MAX_DEPTH are given but not entered. What vanishes meanwhile is passed over, for the
    job may be running; the path of what cannot be looked into goes to ``on_unreadable``. With
    ``insist``, folders of our own that are closed to us are opened up first: a job that runs as our
    own user could otherwise hide in one.

    Raises:
        OSError: ``top`` itself cannot be read.
    """
    if insist:
        _open_up(str(top), None, top.lstat())
    descriptor = os.open(top, OPEN_FOLDER)
    try:
        yield from _walk(_Level(descriptor, "", 0), on_unreadable, insist)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Level:
    descriptor: int
    prefix: str
    depth: int


def _walk(level: _Level, on_unreadable: Callable[[str], None], insist: bool) -> Iterator[Entry]:
    folders = []
    for name in os.listdir(level.descriptor):  # noqa: PTH208
        try:
            status = os.stat(name, dir_fd=level.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            continue
        except PermissionError:
            on_unreadable(level.prefix + name)
            continue
        entry = Entry(level.descriptor, name, level.prefix + name, level.depth, status)
        yield entry
        if entry.is_folder and level.depth < MAX_DEPTH:
            folders.append(entry)
    for folder in folders:
        try:
            if insist:
                _open_up(folder.name, level.descriptor, folder.status)
            descriptor = os.open(folder.name, OPEN_FOLDER, dir_fd=level.descriptor)
        except FileNotFoundError:
            continue
        except OSError:
            on_unreadable(folder.path)
            continue
        try:
            inner = _Level(descriptor, f"{folder.path}/", level.depth + 1)
            yield from _walk(inner, on_unreadable, insist)
        finally:
            os.close(descriptor)


def _open_up(name: str, parent: int | None, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IRWXU == stat.S_IRWXU:
        return
    # By a descriptor, which needs no permission: by then a link may stand under the name.
    held = os.open(name, os.O_PATH | OPEN_FOLDER, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{held}", stat.S_IRWXU)  # noqa: PTH101
    finally:
        os.close(held)


def make_open_folder(path: Path) -> None:
    """A new folder that a job's user may pass through, whatever the umask."""
    path.mkdir()
    path.chmod(0o755)


def is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except PermissionError:  # closed by the job itself
        return False


def has_little(folder: Path) -> bool:
    """Whether there are a few files in it, if anything, and no folder."""
    try:
        with os.scandir(folder) as entries:
            few = [*islice(entries, _FEW_FILES + 1)]
            return len(few) <= _FEW_FILES and not any(
                entry.is_dir(follow_symlinks=False) for entry in few
            )
    except OSError:  # Closed by the job itself, say.
        return False


def hand_over(top: Path, uid: int | None) -> None:
    """Close a folder to others, and give it and what is in it to a job's user, if it has its own.

    Closed, because a setuid file that a job makes in there must be in nobody's reach. A file with
    a second name keeps its owner: the other name may be anywhere, such as in a cache.

    Raises:
        SandboxUnavailable: we may not give files away.
    """
    top.chmod(stat.S_IRWXU)
    if uid is None:
        return
    try:
        os.chown(top, uid, uid)
        for entry in walk(top):
            if entry.is_folder or entry.status.st_nlink == 1:
                os.chown(entry.name, uid, uid, dir_fd=entry.parent, follow_symlinks=False)
    except OSError as error:
        raise not_given(error) from error


def take_back(top: Path) -> int:
    """Make a folder ours again: owned, readable and without setuid bits. No process may live in it.

    What lies deeper than MAX_DEPTH is removed, because nobody could remove it later: returns the
    number of such folders.
    """
    os.chown(top, os.geteuid(), os.getegid())
    top.chmod(stat.S_IRWXU)
    return _remove_deep(top, _make_ours)


def remove(top: Path) -> None:
    """Remove a folder as a job has left it, from which nobody has taken anything back. What cannot
    be removed stays."""
    with contextlib.suppress(OSError):
        _remove_deep(top, insist=True)  # They break what comes next.
    shutil.rmtree(top, ignore_errors=True)


def _remove_deep(
    top: Path, on_each: Callable[[Entry], None] | None = None, *, insist: bool = False
) -> int:
    deep = top / f".deep-{secrets.token_hex(8)}"
    pending = [top]
    count = 0
    while pending:
        for entry in walk(pending.pop(), insist=insist):
            if on_each is not None:
                on_each(entry)
            if entry.is_folder and entry.depth == MAX_DEPTH:
                deep.mkdir(exist_ok=True)
                moved = deep / str(count)
                os.rename(entry.name, moved, src_dir_fd=entry.parent)
                pending.append(moved)
                count += 1
    if count:
        shutil.rmtree(deep)
    return count


def _make_ours(entry: Entry) -> None:
    status = entry.status
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(entry.name, os.geteuid(), os.getegid(), dir_fd=entry.parent, follow_symlinks=False)
    if not (entry.is_folder or entry.is_file):
        return
    needed = stat.S_IRWXU if entry.is_folder else stat.S_IRUSR | stat.S_IWUSR
    mode = stat.S_IMODE(status.st_mode)
    wanted = (mode | needed) & ~_SPECIAL_BITS
    if mode != wanted:
        # Follows links, but this is none, and nobody is left to put one in its place.
        os.chmod(entry.name, wanted, dir_fd=entry.parent)
