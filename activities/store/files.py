"""Rows of what was uploaded and of what tasks made; the bytes are in ``blobs``."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
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


async def create_file_once(database: Database, team_id: UUID, upload: Upload) -> None:
    """As ``create_file``, unless there is a file with this id: the first one counts."""
    query = insert(File).values(team_id=team_id, **asdict(upload)).on_conflict_do_nothing()
    async with database.writing() as connection:
        await connection.execute(query)


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
