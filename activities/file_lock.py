"""A lock between processes: on a file, let go by the kernel when its holder dies."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take the lock if it is free. Closing the descriptor lets go of it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        # Who removes what the lock guards removes its file too, and a lock on that guards nothing.
        held = os.fstat(descriptor).st_nlink > 0
    except BlockingIOError:
        held = False
    if held:
        return descriptor
    os.close(descriptor)
    return None
