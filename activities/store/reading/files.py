"""Which bytes the files and artifacts of a team are, and which of them are a task's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Task, TaskArtifact
from workflows.definitions.inputs import ArtifactRef, FileRef

StoredRef = FileRef | ArtifactRef


@dataclass(frozen=True, slots=True)
class KeptFile:
    """Bytes in the store; ``size`` is their number. ``is_stale``: no task was about to name the
    file for a while, so that housekeeping may remove it."""

    sha256: str
    size: int
    mime_type: str
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that a step of a task made; ``size`` is in bytes."""

    id: UUID
    name: str
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """``inputs`` are references by name; ``made`` is in the order of age."""

    inputs: Mapping[str, str]
    made: Sequence[MadeFile]


async def find_files(
    database: Database, team_id: UUID, refs: Iterable[StoredRef]
) -> Mapping[StoredRef, KeptFile]:
    """Those ``refs`` that are the team's, in one query; in none when there is none."""
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
        (FileRef if is_file else ArtifactRef)(key): KeptFile(sha256, size, mime_type, is_stale)
        for is_file, key, sha256, size, mime_type, is_stale in rows
    }


async def files_of_task(
    database: Database, team_id: UUID, task_id: UUID, max_made: int
) -> TaskFiles:
    """Its inputs, and the latest ``max_made`` files of its steps; none of a task that is not
    there."""
    # The primary: a file may be used the moment after it was made.
    async with database.reading(fresh=True) as connection:
        inputs = await connection.scalar(
            select(col(Task.inputs)).where(col(Task.id) == task_id, col(Task.team_id) == team_id)
        )
        rows = await connection.execute(
            select(
                col(TaskArtifact.id),
                col(TaskArtifact.name),
                col(TaskArtifact.size),
                col(TaskArtifact.mime_type),
            )
            .where(
                col(TaskArtifact.task_id) == task_id,
                col(TaskArtifact.team_id) == team_id,
                col(TaskArtifact.sha256).is_not(None),
            )
            .order_by(col(TaskArtifact.created_at).desc(), col(TaskArtifact.name).desc())
            .limit(max_made)
        )
        made = [MadeFile(key, name, size, mime_type) for key, name, size, mime_type in rows]
    return TaskFiles(inputs or {}, made[::-1])


_FIND = text(
    """
    SELECT true AS is_file, id, sha256, size, mime_type,
           named_at < now() - interval '1 hour' AS is_stale
    FROM files
    WHERE team_id = :team_id AND id = ANY(:files)
    UNION ALL
    SELECT false, id, sha256, size, mime_type, false FROM task_artifacts
    WHERE team_id = :team_id AND id = ANY(:artifacts) AND sha256 IS NOT NULL
    """
).bindparams(
    bindparam("team_id", type_=Uuid()),
    bindparam("files", type_=ARRAY(Uuid())),
    bindparam("artifacts", type_=ARRAY(Uuid())),
)
