"""What uploads that people deleted were called: the audit log tells, for as long as it is kept."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text

from activities.store.database import Database


async def names_of_deleted(
    database: Database, team_id: UUID, ids: Collection[UUID]
) -> Mapping[UUID, str]:
    """By their ids, those that the team has deleted; in no query when there is none."""
    if not ids:
        return {}
    values = {"team_id": team_id, "targets": list(map(str, ids))}
    async with database.reading() as connection:
        rows = (await connection.execute(_FIND, values)).all()
    return {UUID(row.target): row.name for row in rows}


_FIND = text(
    """
    SELECT target, details ->> 'name' AS name FROM audit_log
    WHERE team_id = :team_id AND target = ANY(:targets) AND action = 'file.deleted'
    """
).bindparams(bindparam("team_id", type_=Uuid()), bindparam("targets", type_=ARRAY(Text())))
