"""A copy of Temporal's SQLite file as it is at one moment, while the server writes on."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PAGES = 512  # at a time: 2 MiB, then it is looked whether to go on


class _Stopped(Exception):
    pass


class TemporalSnapshot:
    """``size`` is that of the file, in bytes."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._source = source
        (pages,), (page_size,) = (
            source.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
        self.size = pages * page_size

    async def copy(self, target: Path) -> None:
        """Write it to a new file, once. What is seen here is let go of then: until that the WAL of
        the server only grows."""
        stop = threading.Event()
        copying = asyncio.create_task(asyncio.to_thread(self._copy, target, stop))
        try:
            await asyncio.shield(copying)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([copying])
            copying.exception()
            raise

    def _copy(self, target: Path, stop: threading.Event) -> None:
        def look(_status: int, _left: int, _all: int) -> None:
            if stop.is_set():
                raise _Stopped

        with closing(sqlite3.connect(target)) as copied:
            # Nobody reads it before it is whole, and then another process does.
            copied.execute("PRAGMA synchronous = off")
            self._source.backup(copied, pages=_PAGES, progress=look, sleep=0)
        self._source.close()


@contextmanager
def temporal_snapshot(file: Path) -> Iterator[TemporalSnapshot]:
    """The database as it is now: its server writes ahead (WAL), so a reader keeps what it sees.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    uri = f"{file.absolute().as_uri()}?mode=ro"
    with closing(
        sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    ) as source:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # Taken by the first query.
        yield TemporalSnapshot(source)
