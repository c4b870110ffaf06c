"""Which bytes the files and artifacts of a team are, and which of them are a task's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.files import StoredBlob
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import File, Task, TaskArtifact
from workflows.definitions.inputs import ArtifactRef, FileRef
from workflows.states import TaskType

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
class NamedFile(MadeFile):
    """An upload, or what a step of the task ``task_id`` made."""

    sha256: str
    task_id: UUID | None


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """``inputs`` are references by name; ``made`` is in the order of age. ``agent_id`` is the agent
    that stays whose exchange the task is."""

    inputs: Mapping[str, str]
    made: Sequence[MadeFile]
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EarlierFiles:
    """What an agent that stays was given in earlier exchanges, as pairs of name and reference, and
    what these and the tasks that it has begun have made; each in the order of age."""

    given: Sequence[tuple[str, str]]
    made: Sequence[MadeFile]


async def find_files(
    database: Database, team_id: UUID, refs: Iterable[StoredRef]
) -> Mapping[StoredRef, KeptFile]:
    """Those ``refs`` that are the team's, in one query; in none when there is none."""
    wanted = set(refs)
    if not wanted:
        return {}
    # The primary: a file may be used the moment after its upload.
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(_FIND, _by_kind(team_id, wanted))).all()
    return {
        (FileRef if is_file else ArtifactRef)(key): KeptFile(sha256, size, mime_type, is_stale)
        for is_file, key, sha256, size, mime_type, is_stale in rows
    }


async def describe_files(
    database: Database, team_id: UUID, refs: Iterable[StoredRef]
) -> Mapping[StoredRef, NamedFile]:
    """As they are called, those ``refs`` that are the team's."""
    wanted = set(refs)
    if not wanted:
        return {}
    async with database.reading() as connection:
        rows = (await connection.execute(_DESCRIBE, _by_kind(team_id, wanted))).all()
    return {
        (FileRef if row.is_file else ArtifactRef)(row.id): NamedFile(
            row.id, row.name, row.size, row.mime_type, row.sha256, row.task_id
        )
        for row in rows
    }


def _by_kind(team_id: UUID, refs: Collection[StoredRef]) -> Mapping[str, object]:
    """What the queries of references are given."""
    return {
        "team_id": team_id,
        "files": [ref.id for ref in refs if isinstance(ref, FileRef)],
        "artifacts": [ref.id for ref in refs if isinstance(ref, ArtifactRef)],
    }


async def list_uploads(
    database: Database, team_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredBlob], Cursor | None]:
    """What people have uploaded, the newest first; not what tasks have fetched from outside."""
    names = ("id", "name", "size", "mime_type", "sha256", "created_at")
    query = select(*(col(getattr(File, name)) for name in names)).where(
        col(File.team_id) == team_id, col(File.task_id).is_(None)
    )
    if cursor is not None:
        query = query.where(cursor.before(col(File.created_at), col(File.id)))
    query = query.order_by(col(File.created_at).desc(), col(File.id).desc()).limit(limit + 1)
    # The primary: a file may be looked for the moment after its upload.
    async with database.reading(fresh=True) as connection:
        found = [StoredBlob(**row._asdict()) for row in await connection.execute(query)]
    return cut(found, limit, lambda file: Cursor(file.created_at, file.id))


async def files_of_task(
    database: Database, team_id: UUID, task_id: UUID, max_made: int
) -> TaskFiles:
    """Its inputs, and the latest ``max_made`` files of its steps; none of a task that is not
    there."""
    # The primary: a file may be used the moment after it was made.
    async with database.reading(fresh=True) as connection:
        found = await connection.execute(
            select(col(Task.inputs), col(Task.type), col(Task.parent_id)).where(
                col(Task.id) == task_id, col(Task.team_id) == team_id
            )
        )
        task = found.one_or_none()
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
    if task is None:
        return TaskFiles({}, made[::-1])
    agent_id = task.parent_id if task.type == TaskType.EXCHANGE else None
    return TaskFiles(task.inputs or {}, made[::-1], agent_id)


async def earlier_files(
    database: Database, team_id: UUID, agent_id: UUID, exchange_id: UUID, limit: int
) -> EarlierFiles:
    """The latest of them, ``limit`` of either kind, without those of the exchange itself."""
    values = {
        "team_id": team_id,
        "agent_id": agent_id,
        "exchange_id": exchange_id,
        "most": limit,
        "tasks": _EARLIER_TASKS,
    }
    async with database.reading(fresh=True) as connection:
        given = (await connection.execute(_EARLIER_GIVEN, values)).all()
        made = (await connection.execute(_EARLIER_MADE, values)).all()
    return EarlierFiles(
        [(row.name, row.ref) for row in reversed(given)],
        [MadeFile(row.id, row.name, row.size, row.mime_type) for row in reversed(made)],
    )


# Exchanges, and tasks that were begun, whose files are looked at: the latest of either.
_EARLIER_TASKS = 200

_EXCHANGES = """
    SELECT id, inputs, created_at FROM tasks
    WHERE parent_id = :agent_id AND type = 'exchange' AND team_id = :team_id
      AND id <> :exchange_id
    ORDER BY created_at DESC LIMIT :tasks
"""

_EARLIER_GIVEN = text(
    f"""
    SELECT given.key AS name, given.value AS ref
    FROM ({_EXCHANGES}) AS exchange, jsonb_each_text(exchange.inputs) AS given
    ORDER BY exchange.created_at DESC, given.key LIMIT :most
    """
)

# The files of nodes are those of their plan.
_EARLIER_MADE = text(
    f"""
    WITH begun AS (
        SELECT id FROM tasks
        WHERE agent_id = :agent_id AND team_id = :team_id AND deleted_at IS NULL
        ORDER BY created_at DESC LIMIT :tasks
    ), maker AS (
        SELECT id FROM ({_EXCHANGES}) AS exchange
        UNION ALL
        SELECT id FROM begun
        UNION ALL
        SELECT tasks.id FROM tasks JOIN begun ON tasks.parent_id = begun.id
    )
    SELECT task_artifacts.id, name, size, mime_type
    FROM task_artifacts JOIN maker ON maker.id = task_artifacts.task_id
    WHERE sha256 IS NOT NULL
    ORDER BY created_at DESC, name DESC LIMIT :most
    """
)


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

_DESCRIBE = text(
    """
    SELECT true AS is_file, id, name, size, mime_type, sha256, CAST(NULL AS uuid) AS task_id
    FROM files
    WHERE team_id = :team_id AND id = ANY(:files)
    UNION ALL
    SELECT false, id, name, size, mime_type, sha256, task_id FROM task_artifacts
    WHERE team_id = :team_id AND id = ANY(:artifacts) AND sha256 IS NOT NULL
    """
).bindparams(
    bindparam("team_id", type_=Uuid()),
    bindparam("files", type_=ARRAY(Uuid())),
    bindparam("artifacts", type_=ARRAY(Uuid())),
)
