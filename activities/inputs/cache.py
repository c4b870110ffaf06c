"""A folder of files under their SHA-256, kept within a size, shared by all workers of a machine.

Each file is whole and never changes. Who uses one holds a shared ``flock`` on it, so that no
process removes it meanwhile; the kernel lets go of the lock when its holder dies. What is being
written lies apart, locked in the same way: what nobody locks there was left by a dead worker.
"""

import asyncio
import contextlib
import errno
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from activities.file_lock import is_at, try_lock_open
from activities.inputs.partial import Blob, Partial
from workflows.errors import TemporaryFailure
from workflows.errors.inputs import InputFolderFull
from workflows.errors.services import BlobCorrupt

# Other workers add to the folder unseen: it is measured after each such part of its limit.
_PARTS = 16
# A file that was made this moment is not locked yet.
_FRESH_SECONDS = 60.0
_PLACE_TRIES = 1_000
_PLACE_PAUSE_SECONDS = 0.001
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

log = structlog.get_logger(__name__)


class Cache:
    """Holds ``max_bytes`` at most, beside what is in use.

    Its calls to the disk are short and made in place, all but those that take long.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._blobs = folder / "blobs"
        self._partial = folder / "partial"
        self._max_bytes = max_bytes
        self._unmeasured_bytes = 0  # that may be added before the folder is measured
        self._is_prepared = False
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def alone(self, name: str) -> asyncio.Lock:
        """A lock of this process: who wants the same thing waits, and then finds it there."""
        return self._locks.setdefault(name, asyncio.Lock())

    def path_of(self, blob: Blob) -> Path:
        return self._blobs / blob.sha256[:2] / blob.sha256

    def lease(self, blob: Blob) -> int | None:
        """Keep a blob from being removed, and note its use. None when it is not there.

        Closing the descriptor ends the lease.
        """
        path = self.path_of(blob)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        is_whole = os.fstat(descriptor).st_size == blob.size
        # One that was just removed may have another name still, as the name it was written under.
        if is_whole and try_lock_open(descriptor, shared=True) and is_at(descriptor, path):
            os.utime(descriptor)
            return descriptor
        os.close(descriptor)
        return None

    @asynccontextmanager
    async def partial(self) -> AsyncIterator[Partial]:
        """An empty file to write to; gone at the end, unless it was kept.

        Raises:
            InputFolderFull: the disk is full. What was not in use has been removed by then.
        """
        if not self._is_prepared:
            await asyncio.to_thread(self._prepare)
        try:
            with self._new_file() as (path, file):
                yield Partial(path, file)
        except OSError as error:
            if error.errno not in _DISK_FULL:
                raise
            await asyncio.to_thread(self._shrink, 0)
            raise InputFolderFull(folder=self._folder) from error

    async def keep(self, partial: Partial, expected: Blob) -> int:
        """Move what was written to its place, and lease it.

        Raises:
            BlobCorrupt: it is not what was expected.
        """
        if partial.blob != expected:
            raise BlobCorrupt(sha256=expected.sha256)
        await partial.seal()
        lease = await self._place(partial, expected)
        try:
            await self._make_room(expected.size)
        except BaseException:
            os.close(lease)
            raise
        return lease

    async def _place(self, partial: Partial, blob: Blob) -> int:
        path = self.path_of(blob)
        _make_folder(path.parent)
        for _ in range(_PLACE_TRIES):
            # Never over a file that is there: somebody may be about to use it by its path.
            with contextlib.suppress(FileExistsError):
                os.link(partial.path, path)
            if (lease := self.lease(blob)) is not None:
                return lease
            # One that is there is being removed by another worker, or cut short by a bad disk.
            _remove(path)
            await asyncio.sleep(_PLACE_PAUSE_SECONDS)
        raise TemporaryFailure(service="The folder of inputs", reason=f"{path} is locked")

    async def _make_room(self, added_bytes: int) -> None:
        self._unmeasured_bytes -= added_bytes
        if self._unmeasured_bytes < 0:
            self._unmeasured_bytes = self._max_bytes // _PARTS
            await asyncio.to_thread(self._shrink, self._max_bytes - self._unmeasured_bytes)

    def _shrink(self, max_bytes: int) -> None:
        """Remove the least recently used until ``max_bytes`` are left."""
        files = sorted(_files(self._blobs))
        left_bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left_bytes <= max_bytes:
                return
            if _remove(path):
                left_bytes -= size
        if left_bytes > max_bytes:
            log.warning("inputs.all_in_use", used_bytes=left_bytes, max_bytes=max_bytes)

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[tuple[Path, FileIO]]:
        descriptor, name = tempfile.mkstemp(dir=self._partial)
        try:
            with FileIO(descriptor, "w") as file:
                try_lock_open(descriptor, shared=True)
                yield Path(name), file
        finally:
            Path(name).unlink(missing_ok=True)

    def _prepare(self) -> None:
        # Open to others: the sandbox runs under another user and must pass through.
        for folder in (self._folder, self._blobs, self._partial):
            _make_folder(folder)
        oldest = time.time() - _FRESH_SECONDS
        for path in self._partial.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < oldest:
                    _remove(path)
        self._is_prepared = True


def expire(folder: Path, unused_seconds: float) -> None:
    """Remove the inputs that nobody uses, or has used for so long, from the folder of a cache."""
    oldest_ns = time.time_ns() - int(unused_seconds * 1e9)
    for used_ns, size, path in sorted(_files(folder / "blobs")):
        if used_ns >= oldest_ns:
            return
        if _remove(path):
            log.info("input.expired", sha256=path.name, size_bytes=size)


def _files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Time of last use in nanoseconds, size in bytes and path of each file."""
    for path in folder.glob("??/*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            yield status.st_mtime_ns, status.st_size, path


def _remove(path: Path) -> bool:
    """Remove a file that nobody uses."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        if not try_lock_open(descriptor):
            return False
        path.unlink()
        return True
    finally:
        os.close(descriptor)


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
