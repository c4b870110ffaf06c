"""Writing down who did what: in the transaction of the deed where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store.database import Database
from activities.store.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the team, and the ``name`` of the API key, or of who needs none."""

    team_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Deed:
    """``action`` is a verb such as ``task.retried``, ``target`` what it is done to, by its id or
    name; ``note`` says why, in the words of who did it."""

    action: str
    target: str
    note: str = ""
    details: Mapping[str, JsonValue] = field(default_factory=dict)


async def note(connection: AsyncConnection, actor: Actor, deed: Deed) -> None:
    """Write down a deed within the caller's transaction."""
    await connection.execute(
        insert(AuditEntry).values(
            id=uuid4(),
            team_id=actor.team_id,
            actor=actor.name,
            action=deed.action,
            target=deed.target,
            note=deed.note,
            details=dict(deed.details),
        )
    )


async def record(database: Database, actor: Actor, deed: Deed) -> None:
    """Write down a deed that has no transaction here, such as a signal to a workflow."""
    async with database.writing() as connection:
        await note(connection, actor, deed)
