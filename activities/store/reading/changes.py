"""Whose the things are that something was announced of."""

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from activities.store.database import Database


class Topic(StrEnum):
    """What a page may show many of."""

    TASKS = "tasks"
    AGENTS = "agents"
    GROUPS = "groups"


_OF = text(
    " UNION ".join(
        f"SELECT DISTINCT team_id, '{topic}' AS topic FROM {topic} WHERE id = ANY(:ids)"
        for topic in Topic
    )
)


async def changed_topics(database: Database, ids: Collection[UUID]) -> set[tuple[UUID, Topic]]:
    """Teams, and what of theirs some ids are; ids of nothing are left out."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_OF, {"ids": list(ids)})
        return {(row.team_id, Topic(row.topic)) for row in rows}
