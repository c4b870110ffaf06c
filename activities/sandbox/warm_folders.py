"""The folders of a sandbox that is started before anybody knows which files its job will have.

They are mounted empty. What a job is given is copied into them, never linked: of a file that jobs
share, the number of its names and the time of their last change would tell one job when another
one comes and goes. What it makes is moved out as one folder.
"""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.sandbox.base import Job
from activities.sandbox.folders import hand_over, make_open_folder, remove, take_back
from activities.units import MEBIBYTE

# What a job is given is copied before it begins, while nothing else happens: a small file takes
# some 30 us, so many bytes half a millisecond.
MAX_FILES = 128
MAX_BYTES = MEBIBYTE

_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
# Opening a named pipe waits for its writer, unless it is told not to.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A folder is there already, or a file where a folder comes.
_IN_THE_WAY = (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR)


class Unfit(Exception):
    """A job cannot be given to this sandbox; it can to one that is started for it."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A file, folder or link that a job is given, and where it lies below the top."""

    path: str
    to: str
    status: os.stat_result


def can_be_copied(job: Job) -> bool:
    """Whether all that a job is given can, and is little enough."""
    try:
        for _ in _pieces(job):
            pass
    except (OSError, Unfit):
        return False
    return True


@dataclass(frozen=True, slots=True)
class WarmFolders:
    """``output`` is the job's user's from the start; the others show what is in them read-only."""

    top: Path

    @property
    def inputs(self) -> Path:
        return self.top / "inputs"

    @property
    def skills(self) -> Path:
        return self.top / "skills"

    @property
    def output(self) -> Path:
        return self.top / "output"

    @classmethod
    def make(cls, parent: Path, uid: int | None) -> "WarmFolders":
        """Raises ``SandboxUnavailable``: we may not give files away."""
        made = cls(Path(tempfile.mkdtemp(dir=parent)))
        with contextlib.ExitStack() as failed:
            failed.callback(made.remove)
            made.top.chmod(0o755)
            for folder in (made.inputs, made.skills, made.output):
                make_open_folder(folder)
            hand_over(made.output, uid)
            failed.pop_all()
        return made

    def fill(self, job: Job) -> None:
        """Copy what the job is given, with modes and times.

        Raises:
            Unfit: it is too much, or has what nobody can copy, or the output lies elsewhere.
        """
        folders = []
        try:
            if not self._can_move_to(job.output):
                raise Unfit
            for piece in _pieces(job):
                to = f"{self.top}/{piece.to}"
                if stat.S_ISDIR(piece.status.st_mode):
                    Path(to).mkdir()
                    folders.append((to, piece.status))
                elif stat.S_ISLNK(piece.status.st_mode):
                    os.symlink(os.readlink(piece.path), to)  # noqa: PTH115, PTH211
                    _set_times(to, piece.status)
                else:
                    _copy_file(piece, to)
            for to, status in reversed(folders):
                Path(to).chmod(stat.S_IMODE(status.st_mode))
                _set_times(to, status)
        except OSError as error:
            raise Unfit from error

    def empty_into(self, output: Path) -> int:
        """Move what the job has made to ``output``, which was empty. Returns how many folders lay
        too deep, and were removed. No process may live in it any more."""
        removed = take_back(self.output)
        try:
            self.output.rename(output)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Somebody has put something there meanwhile: what has other names stays.
            for entry in [*self.output.iterdir()]:
                _move(entry, output / entry.name)
        return removed

    def remove(self) -> None:
        remove(self.top)

    def _can_move_to(self, output: Path) -> bool:
        """Also false where somebody has removed these folders."""
        return self.output.stat().st_dev == output.stat().st_dev


def _move(source: Path, to: Path) -> None:
    """In place of what is there, be it a folder."""
    try:
        source.rename(to)
    except OSError as error:
        if error.errno not in _IN_THE_WAY:
            raise
        if to.is_dir() and not to.is_symlink():
            remove(to)
        else:
            to.unlink()
        source.rename(to)


def _pieces(job: Job) -> Iterator[_Piece]:
    """Each folder comes before what is in it.

    Raises:
        Unfit: it is too much, or neither file, folder nor link.
        OSError: it cannot be read.
    """
    size = 0
    for count, piece in enumerate(_all_pieces(job), 1):
        mode = piece.status.st_mode
        if stat.S_ISREG(mode):
            size += piece.status.st_size
            if mode & _SPECIAL_BITS:  # A copy is ours, and would hand that to whoever runs it.
                raise Unfit
        elif not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode):
            raise Unfit
        if count > MAX_FILES or size > MAX_BYTES:
            raise Unfit
        yield piece


def _all_pieces(job: Job) -> Iterator[_Piece]:
    for name, path in job.inputs.items():
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):  # A link would lead nowhere inside.
            raise Unfit
        yield _Piece(str(path), f"inputs/{name}", status)
    for name, path in job.skills.items():
        yield _Piece(str(path), f"skills/{name}", path.stat())
        yield from _in_folder(str(path), f"skills/{name}")


def _in_folder(folder: str, to: str) -> Iterator[_Piece]:
    with os.scandir(folder) as entries:
        for entry in entries:
            within = f"{to}/{entry.name}"
            yield _Piece(entry.path, within, entry.stat(follow_symlinks=False))
            if entry.is_dir(follow_symlinks=False):
                yield from _in_folder(entry.path, within)


def _copy_file(piece: _Piece, to: str) -> None:
    size = piece.status.st_size
    reading = os.open(piece.path, _OPEN_FILE)
    try:
        content = os.read(reading, size + 1)
    finally:
        os.close(reading)
    writing = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if len(content) != size or os.write(writing, content) != size:
            raise Unfit  # It is being changed, or the disk is full.
        os.fchmod(writing, stat.S_IMODE(piece.status.st_mode))
        _set_times(writing, piece.status)
    finally:
        os.close(writing)


def _set_times(of: int | str, status: os.stat_result) -> None:
    times = (status.st_mtime_ns, status.st_mtime_ns)  # When others have read it is theirs.
    if isinstance(of, int):
        os.utime(of, ns=times)
    else:
        os.utime(of, ns=times, follow_symlinks=False)
