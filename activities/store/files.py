"""Rows of what was uploaded and of what tasks made; the bytes are in ``blobs``."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import Uuid
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import File, TaskArtifact

_Table = type[File] | type[TaskArtifact]


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file whose bytes are stored."""

    id: UUID
    name: str
    size: int
    mime_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredBlob(Upload):
    """A file of a team, uploaded or made by a task, that can be downloaded."""

    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """``existed``: the team had uploaded the same before, and ``file`` is that one."""

    file: Upload
    existed: bool


async def create_file(database: Database, team_id: UUID, upload: Upload) -> KeptUpload:
    """Write the row of an upload, unless the team has uploaded the same bytes under the same name
    and type: that one is kept as long as if it were new. Of uploads at once, the first counts."""
    values = {"team_id": team_id, **asdict(upload)}
    async with database.writing() as connection:
        await connection.execute(_LOCK_EQUAL, values)
        # Another statement, which sees all that was committed before the lock was got.
        earlier = await connection.scalar(_TOUCH_EQUAL, values)
        if earlier is not None:
            return KeptUpload(replace(upload, id=earlier), existed=True)
        await connection.execute(insert(File).values(values))
    return KeptUpload(upload, existed=False)


async def create_file_once(
    database: Database, team_id: UUID, upload: Upload, task_id: UUID
) -> None:
    """Write the row of what a task fetched, unless there is a file with this id: the first one
    counts. It goes with the task."""
    values = {"team_id": team_id, "task_id": task_id, **asdict(upload)}
    query = insert(File).values(values).on_conflict_do_nothing()
    async with database.writing() as connection:
        await connection.execute(query)


async def touch_files(
    database: Database, team_id: UUID, file_ids: Collection[UUID]
) -> Collection[UUID]:
    """Keep uploads a while longer, since a task is about to name them; gives those that are there.
    Housekeeping removes none that was touched within a day."""
    values = {"team_id": team_id, "ids": list(file_ids)}
    return {row.id for row in await database.execute(_TOUCH, values)}


async def find_file(database: Database, team_id: UUID, file_id: UUID) -> StoredBlob | None:
    """What was uploaded; None when the team has no such file."""
    return await _find(database, File, team_id, file_id)


async def find_artifact(database: Database, team_id: UUID, artifact_id: UUID) -> StoredBlob | None:
    """What a task made; None when the team has no such file, or it is a link to elsewhere."""
    return await _find(database, TaskArtifact, team_id, artifact_id)


async def _find(database: Database, table: _Table, team_id: UUID, key: UUID) -> StoredBlob | None:
    columns = (table.id, table.name, table.size, table.mime_type, table.sha256, table.created_at)
    # The primary: what was stored a moment ago may be asked for at once.
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(
                select(*map(col, columns)).where(
                    col(table.id) == key,
                    col(table.team_id) == team_id,
                    col(table.sha256).is_not(None),
                )
            )
        ).one_or_none()
    return row and StoredBlob(**row._asdict())


_TOUCH = text(
    """
    UPDATE files SET named_at = now() WHERE team_id = :team_id AND id = ANY(CAST(:ids AS uuid[]))
    RETURNING id
    """
)

# Equal uploads of a team, one at a time.
_LOCK_CLASS = 1_970_302_569
_LOCK_EQUAL = text(
    f"SELECT pg_advisory_xact_lock({_LOCK_CLASS}, hashtext(CAST(:team_id AS text) || :sha256))"
).bindparams(bindparam("team_id", type_=Uuid()))
# What a task has fetched goes with the task, so it is nobody's upload. Older versions wrote a row
# for each upload: then the oldest stands for all. One that is deleted at this moment is not found.
_TOUCH_EQUAL = text(
    """
    UPDATE files SET named_at = now()
    WHERE id = (
        SELECT id FROM files
        WHERE sha256 = :sha256 AND team_id = :team_id AND name = :name AND mime_type = :mime_type
          AND task_id IS NULL
        ORDER BY created_at, id LIMIT 1
    )
    RETURNING id
    """
).bindparams(bindparam("team_id", type_=Uuid()))
