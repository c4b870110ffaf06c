"""What is copied of Temporal's file, and what the server may do meanwhile."""

import sqlite3
from contextlib import closing
from pathlib import Path

from deploy.backup.temporal_file import temporal_snapshot


def checkpointed(server: sqlite3.Connection) -> bool:
    """Whether all that is in the WAL could be moved into the file."""
    is_busy, _, _ = server.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


async def test_the_server_can_empty_its_wal_once_the_copy_is_made(tmp_path: Path) -> None:
    file, copy = tmp_path / "temporal.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as server:
        server.execute("PRAGMA journal_mode = wal")
        server.execute("CREATE TABLE events (id INTEGER)")
        with temporal_snapshot(file) as snapshot:
            server.execute("INSERT INTO events VALUES (1)")
            assert not checkpointed(server)
            await snapshot.copy(copy)
            assert checkpointed(server)
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("SELECT count(*) FROM events").fetchone() == (0,)
