"""Keeping what a new row names, while it is written.

Files and tasks can be deleted at any moment, and whoever deletes one looks first who names it. So
whoever is about to name a file locks its row, and of a file that a task made that of the task: a
deletion waits then, and finds the new row; or it was faster, and the new row is not written.

This comes first in a transaction: whoever locks a task and an agent, or a group, locks the task
first.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from activities.inputs.errors import InputsGone
from workflows.definitions.inputs import ArtifactRef, FileRef, parse


async def hold_inputs(
    connection: AsyncConnection, team_id: UUID, inputs: Mapping[str, str]
) -> Mapping[str, FileRef | ArtifactRef]:
    """Keep the files among ``inputs``, which were judged, until the transaction ends. Gives those
    that are there no longer."""
    refs = {name: parse(text) for name, text in inputs.items()}
    wanted = {name: r for name, r in refs.items() if isinstance(r, FileRef | ArtifactRef)}
    files = {ref.id for ref in wanted.values() if isinstance(ref, FileRef)}
    artifacts = {ref.id for ref in wanted.values() if isinstance(ref, ArtifactRef)}
    held = set[FileRef | ArtifactRef]()
    if files:
        found = await connection.scalars(_FILES, {"team_id": team_id, "ids": [*files]})
        held.update(map(FileRef, found))
    if artifacts:
        found = await connection.scalars(_ARTIFACTS, {"team_id": team_id, "ids": [*artifacts]})
        held.update(map(ArtifactRef, found))
    return {name: ref for name, ref in wanted.items() if ref not in held}


async def require_inputs(
    connection: AsyncConnection, team_id: UUID, inputs: Mapping[str, str]
) -> None:
    """Keep all files among ``inputs``. Raises ``InputsGone``."""
    if gone := await hold_inputs(connection, team_id, inputs):
        raise InputsGone(gone)


_TYPES = (bindparam("team_id", type_=Uuid()), bindparam("ids", type_=ARRAY(Uuid())))

_FILES = text(
    "SELECT id FROM files WHERE team_id = :team_id AND id = ANY(:ids) ORDER BY id FOR KEY SHARE"
).bindparams(*_TYPES)

# To mark a task as deleted changes no key of it, so a lock of its key would not be in the way.
_ARTIFACTS = text(
    """
    SELECT task_artifacts.id
    FROM task_artifacts JOIN tasks ON tasks.id = task_artifacts.task_id
    WHERE task_artifacts.team_id = :team_id AND task_artifacts.id = ANY(:ids)
      AND sha256 IS NOT NULL AND tasks.deleted_at IS NULL
    ORDER BY tasks.id FOR SHARE OF tasks
    """
).bindparams(*_TYPES)
