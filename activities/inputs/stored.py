"""Which bytes the files and artifacts of a team are: their rows."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import insert

from activities.inputs.partial import Blob
from activities.store.database import Database
from activities.store.files import Upload
from activities.store.tables import File
from workflows.definitions.inputs import ArtifactRef, FileRef

StoredRef = FileRef | ArtifactRef

_FIND = text(
    """
    SELECT true AS is_file, id, sha256, size FROM files
    WHERE team_id = :team_id AND id = ANY(:files)
    UNION ALL
    SELECT false, id, sha256, size FROM task_artifacts
    WHERE team_id = :team_id AND id = ANY(:artifacts) AND sha256 IS NOT NULL
    """
).bindparams(
    bindparam("team_id", type_=Uuid()),
    bindparam("files", type_=ARRAY(Uuid())),
    bindparam("artifacts", type_=ARRAY(Uuid())),
)


async def find(
    database: Database, team_id: UUID, refs: Iterable[StoredRef]
) -> Mapping[StoredRef, Blob]:
    """The bytes of those ``refs`` that are the team's, in one query; in none when there is none."""
    wanted = set(refs)
    if not wanted:
        return {}
    values = {
        "team_id": team_id,
        "files": [ref.id for ref in wanted if isinstance(ref, FileRef)],
        "artifacts": [ref.id for ref in wanted if isinstance(ref, ArtifactRef)],
    }
    # The primary: a file may be used the moment after its upload.
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(_FIND, values)).all()
    return {
        (FileRef if is_file else ArtifactRef)(key): Blob(sha256, size)
        for is_file, key, sha256, size in rows
    }


async def write_once(database: Database, team_id: UUID, upload: Upload) -> None:
    """Write the row of a file, unless there is one with this id: the first one counts."""
    row = {
        "id": upload.id,
        "team_id": team_id,
        "name": upload.name,
        "size": upload.size,
        "mime_type": upload.mime_type,
        "sha256": upload.sha256,
    }
    async with database.writing() as connection:
        await connection.execute(insert(File).values(row).on_conflict_do_nothing())
