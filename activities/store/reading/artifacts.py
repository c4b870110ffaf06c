"""What the steps of a task made."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, select, tuple_
from sqlmodel import col

from activities.store.database import Database
from activities.store.query import Asked, Query, given
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import SubTask, TaskArtifact
from workflows.states import ArtifactType


@dataclass(frozen=True, slots=True)
class Artifact:
    """``step`` is the name of the one that made it; ``url`` is that of a link, and ``sha256`` that
    of a file's bytes. ``size`` is in bytes."""

    id: UUID
    name: str
    type: ArtifactType
    size: int
    mime_type: str
    sha256: str | None
    url: str | None
    created_at: datetime
    step: str


async def list_artifacts(
    database: Database, team_id: UUID, task_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[Artifact], Cursor | None]:
    """A page of them, the oldest first, and the place of its last one if there are more."""
    async with database.reader() as reader:
        found = await artifacts_of(reader, team_id, task_id, limit + 1, cursor)
    return cut(found, limit, lambda item: Cursor(item.created_at, item.id))


async def all_artifacts(
    database: Database, team_id: UUID, task_id: UUID
) -> AsyncIterator[Artifact]:
    """All of them, the oldest first; a page at a time is read, and no connection is kept."""
    cursor: Cursor | None = None
    while True:
        page, cursor = await list_artifacts(database, team_id, task_id, cursor, _PAGE)
        for item in page:
            yield item
        if cursor is None:
            return


async def artifacts_of(
    asked: Asked, team_id: UUID, task_id: UUID, limit: int, cursor: Cursor | None = None
) -> Sequence[Artifact]:
    """The oldest first, from behind the cursor on."""
    values = {"team_id": team_id, "task_id": task_id, "limit": limit}
    if cursor is None:
        rows = await _OLDEST.rows(asked, **values)
    else:
        rows = await _FOLLOWING.rows(asked, moment=cursor.moment, id=cursor.id, **values)
    return [Artifact(*row) for row in rows]


_PAGE = 500
_PLACE = (col(TaskArtifact.created_at), col(TaskArtifact.id))

_ARTIFACTS = (
    select(
        col(TaskArtifact.id),
        col(TaskArtifact.name),
        col(TaskArtifact.type),
        col(TaskArtifact.size),
        col(TaskArtifact.mime_type),
        col(TaskArtifact.sha256),
        col(TaskArtifact.url),
        col(TaskArtifact.created_at),
        col(SubTask.name),
    )
    .join(SubTask, col(SubTask.id) == col(TaskArtifact.sub_task_id))
    .where(
        col(TaskArtifact.task_id) == given("task_id"),
        col(TaskArtifact.team_id) == given("team_id"),
    )
    .order_by(*_PLACE)
    .limit(given("limit", Integer()))
)
_OLDEST = Query(_ARTIFACTS)
_FOLLOWING = Query(
    _ARTIFACTS.where(
        tuple_(*_PLACE) > tuple_(given("moment", DateTime(timezone=True)), given("id", Uuid()))
    )
)
