"""Reading that can be stopped from outside: a thread cannot be cancelled."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, cast


class UploadStopped(Exception):
    """The upload was cancelled; nothing is stored under its key."""


class _Reader:
    def __init__(self, source: BinaryIO, stopped: threading.Event, most_bytes: int) -> None:
        self._source = source
        self._stopped = stopped
        self._most_bytes = most_bytes

    def read(self, size: int) -> bytes:
        if self._stopped.is_set():
            raise UploadStopped
        return self._source.read(min(size, self._most_bytes))


@asynccontextmanager
async def stopped_at_end() -> AsyncIterator[threading.Event]:
    """What is set when the block ends, however it does: a thread looks at it now and then."""
    stopped = threading.Event()
    try:
        yield stopped
    finally:
        stopped.set()


@asynccontextmanager
async def stoppable(source: BinaryIO, most_bytes: int) -> AsyncIterator[BinaryIO]:
    """A file of which at most so many bytes are read at once, and none when the block has ended."""
    async with stopped_at_end() as stopped:
        yield cast(BinaryIO, _Reader(source, stopped, most_bytes))
