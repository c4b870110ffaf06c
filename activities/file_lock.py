"""A lock between processes: on a file, let go by the kernel when its holder dies."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


@asynccontextmanager
async def file_lock(path: Path, *, shared: bool = False) -> AsyncIterator[None]:
    """Hold the lock on ``path``, alone or with other sharers. Waiting for it can be cancelled."""
    # Polled: a thread that waits in flock() cannot be cancelled.
    while (descriptor := try_lock(path, shared=shared)) is None:  # noqa: ASYNC110
        await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def blocking_file_lock(path: Path) -> Iterator[None]:
    """Hold the lock on ``path``, for moments and before anything else runs: it blocks the thread.

    The file must never be removed.
    """
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock if it is free. Closing the descriptor lets go of it."""
    descriptor = _open(path)
    if try_lock_open(descriptor, shared=shared):
        return descriptor
    os.close(descriptor)
    return None


def try_lock_folder(folder: Path) -> int | None:
    """As ``try_lock``, on a folder; None also when it has been removed meanwhile."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    # Not all file systems count the links of a folder that was removed.
    if try_lock_open(descriptor) and folder.exists():
        return descriptor
    os.close(descriptor)
    return None


def try_lock_open(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file that is still in its folder, if nobody holds a lock against that."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # Who removes what the lock guards removes its file too, and a lock on that guards nothing.
    return os.fstat(descriptor).st_nlink > 0


def is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has this name. If not, its lock is another thing's by now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _open(path: Path) -> int:
    # For no other user: whoever may open a file may lock it, and sandboxed code is another user.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
