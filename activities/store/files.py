"""Rows of what was uploaded and of what tasks made; the bytes are in ``blobs``."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
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


async def create_file(database: Database, team_id: UUID, upload: Upload) -> None:
    """Write the row of an upload."""
    async with database.writing() as connection:
        await connection.execute(insert(File).values(team_id=team_id, **asdict(upload)))


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
