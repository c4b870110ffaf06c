"""Writing down who did what: in the transaction of the deed where there is one.

Whatever changes something on behalf of a person takes the actor, and writes its deed itself: so
none is missed, whoever calls it. What is refused, or changes nothing, writes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4, uuid5

from pydantic import JsonValue
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store.database import Database
from activities.store.tables import AuditEntry

# Who needs no key is not told apart: it is the user who runs the stack, or root.
LOCAL_USER: Final = "local user"

_ONCE: Final = UUID("7d1f0f4e-6f7c-4c2e-9a0d-6a3f5f3b5c1e")


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


async def note(
    connection: AsyncConnection, actor: Actor, deed: Deed, *, once: str | None = None
) -> None:
    """Write down a deed within the caller's transaction.

    Of those with the same ``once`` only the first is kept: it names what can be done one time, such
    as the end of a run, whoever asks for it again.
    """
    key = uuid4() if once is None else uuid5(_ONCE, f"{actor.team_id} {deed.action} {once}")
    await connection.execute(
        insert(AuditEntry)
        .values(
            id=key,
            team_id=actor.team_id,
            actor=actor.name,
            action=deed.action,
            target=deed.target,
            note=deed.note,
            details=dict(deed.details),
        )
        .on_conflict_do_nothing()
    )


async def record(database: Database, actor: Actor, deed: Deed, *, once: str | None = None) -> None:
    """Write down a deed that has no transaction here, such as a signal to a workflow.

    It comes after the deed: of what was not done nothing may be told. A process that dies in
    between has not answered yet, so whoever asked for it asks again; ``once`` makes that one deed.
    """
    async with database.writing() as connection:
        await note(connection, actor, deed, once=once)
