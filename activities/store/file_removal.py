"""Removing an upload before its time, unless something that is still to come needs it.

The bytes go with the last row that names them: see ``condemned``.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.types import Uuid

from activities.store import fence
from activities.store.audit import Actor, Deed, note
from activities.store.database import Database
from activities.store.housekeeping import named


@dataclass(frozen=True, slots=True)
class FileUser:
    """What keeps a file: a ``task`` that has not ended, a ``schedule``, or an unread ``message`` to
    an agent, by ``name``."""

    kind: str
    name: str


async def remove_file(database: Database, actor: Actor, file_id: UUID) -> FileUser | None:
    """Remove an upload of the actor's team; None when that is done, else what needs it.

    Tasks that have ended and had it as an input stay, and cannot read it again.

    Raises:
        LookupError: there is no such upload. What a task has fetched goes with the task.
    """
    async with database.writing() as connection:
        values = {"id": file_id, "team_id": actor.team_id}
        file = (await connection.execute(_LOCK, values)).one_or_none()
        if file is None:
            raise LookupError(file_id)
        user = (await connection.execute(_USERS, values)).first()
        if user is not None:
            return FileUser(user.kind, user.name)
        await connection.execute(_DELETE, values)
        told = {"name": file.name, "size": file.size}
        await note(connection, actor, Deed("file.deleted", str(file_id), details=told))
    return None


_TYPES = (bindparam("id", type_=Uuid()), bindparam("team_id", type_=Uuid()))
# Whoever is about to name it holds its row, and one of the two waits here: see `input_holding`.
_LOCK = text(
    """
    SELECT name, size FROM files
    WHERE id = :id AND team_id = :team_id AND task_id IS NULL FOR UPDATE
    """
).bindparams(*_TYPES)
_REF = "'file:' || CAST(:id AS text)"
_USERS = text(
    f"""
    SELECT 'task' AS kind, CAST(tasks.id AS text) AS name FROM tasks
    WHERE {named.by_task("tasks", _REF)} AND team_id = :team_id AND deleted_at IS NULL
      AND {fence.IS_LIVING}
    UNION ALL
    SELECT 'schedule', schedules.name FROM schedules
    WHERE {named.by_schedule("schedules", _REF)} AND team_id = :team_id
    UNION ALL
    SELECT 'message', CAST(inbox.id AS text) FROM inbox
    WHERE {named.by_message("inbox", _REF)} AND team_id = :team_id
    ORDER BY kind DESC LIMIT 1
    """
).bindparams(*_TYPES)
_DELETE = text("DELETE FROM files WHERE id = :id AND team_id = :team_id").bindparams(*_TYPES)
