"""A file that is being received: hashed while it is written."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Blob:
    """Some bytes, by their SHA-256 and their number."""

    sha256: str
    size: int


class Partial:
    """``file`` is open for writing at ``path``; who made it closes it."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def blob(self) -> Blob:
        """What was written so far."""
        return Blob(self._hash.hexdigest(), self.size)

    async def write(self, chunk: bytes) -> None:
        await _finished(lambda: self._append(chunk))

    async def seal(self) -> None:
        """Make it safe against a power cut, and readable, never writable, for every user."""
        await _finished(lambda: os.fchmod(self._file.fileno(), 0o444))
        # Without this a power cut may leave a file of the right size and name, full of zeros.
        await asyncio.to_thread(os.fsync, self._file.fileno())

    def _append(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size += len(chunk)


async def _finished(operation: Callable[[], object]) -> None:
    """Run in a thread, and end only when the thread has ended, even when cancelled.

    A thread cannot be cancelled, and would keep writing to a descriptor that has been closed, or
    is by then another file's.
    """
    work = asyncio.ensure_future(asyncio.to_thread(operation))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        work.cancelled() or work.exception()  # Seen: it is no news that matters any more.
        raise
