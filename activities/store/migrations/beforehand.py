"""Indexes that are built before the transaction of the migration that wants them.

To build one takes minutes where there are a million rows, and within a transaction nobody could
write these rows meanwhile. Built beforehand, and concurrently, it keeps nobody waiting. A migration
names such indexes in ``BEFOREHAND``, and makes those itself that are not there: all of them in a
database that is new.
"""

from collections.abc import Iterator, Mapping

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

# Else a large one goes to the disk in pieces.
MEMORY = "SET {scope} maintenance_work_mem = '256MB'"


def stages(
    config: Config, present: str | None, revision: str
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Up to where one may go in a transaction each, from ``present`` to ``revision``, and which
    indexes to build before it: their tables have to be there by then."""
    indexes: Mapping[str, str] = {}
    if present is not None:
        scripts = ScriptDirectory.from_config(config)
        for script in reversed(list(scripts.iterate_revisions(revision, present))):
            wanted: Mapping[str, str] = getattr(script.module, "BEFOREHAND", {})
            if wanted:
                before = str(script.down_revision)
                if before != present:
                    yield before, indexes
                indexes = wanted
    yield revision, indexes


async def build(driver: asyncpg.Connection, indexes: Mapping[str, str]) -> None:
    """Build those that are not there. One that was left half-built is built anew.

    The connection is in no transaction, and keeps others from doing the same with a lock for which
    nobody waits within a statement: PostgreSQL ends no index before such a statement has ended.
    """
    if not indexes:
        return
    await driver.execute(MEMORY.format(scope=""))
    await driver.execute("SET statement_timeout = 0")
    for name, definition in indexes.items():
        is_valid = await driver.fetchval(_IS_VALID, name)
        if is_valid is False:
            await driver.execute(f"DROP INDEX CONCURRENTLY {name}")
        if not is_valid:
            await driver.execute(f"CREATE INDEX CONCURRENTLY {name} {definition}")


_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
