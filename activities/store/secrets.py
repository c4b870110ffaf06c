"""Secrets of teams, sealed: what a team may have sent to one target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.aes_keys import KEY_ID_CHARACTERS
from activities.store.database import Database
from activities.store.tables import CallbackSecret, Secret, Team, Webhook


@dataclass(frozen=True, slots=True)
class StoredSecret:
    team_id: UUID
    name: str
    target: str
    sealed: bytes = field(repr=False)

    @property
    def place(self) -> str:
        return place_of(self.team_id, self.name, self.target)


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What may be shown of a secret."""

    name: str
    target: str
    updated_at: datetime


def place_of(team_id: UUID, name: str, target: str) -> str:
    """What a secret is sealed for."""
    return f"{team_id} {name} {target}"


async def set_secret(database: Database, secret: StoredSecret) -> None:
    """Keep a secret, in place of the one that the team had for this target."""
    row = {
        "id": uuid4(),
        "team_id": secret.team_id,
        "name": secret.name,
        "target": secret.target,
        "sealed": secret.sealed,
    }
    new = insert(Secret).values(row)
    async with database.writing() as connection:
        await connection.execute(
            new.on_conflict_do_update(
                constraint="secrets_once",
                set_={"sealed": new.excluded.sealed, "updated_at": func.now()},
            )
        )


async def list_secrets(database: Database, team_id: UUID) -> Sequence[SecretInfo]:
    """A team's, by name."""
    columns = select(col(Secret.name), col(Secret.target), col(Secret.updated_at))
    ours = columns.where(col(Secret.team_id) == team_id).order_by(
        col(Secret.name), col(Secret.target)
    )
    async with database.reading(fresh=True) as connection:
        return [SecretInfo(*row) for row in await connection.execute(ours)]


async def sealing_keys(database: Database) -> Mapping[str, int]:
    """How many secrets, of all teams and of webhooks too, were sealed with each key, by its id."""
    sealed = union_all(*(select(col(kind.sealed)) for kind in (Secret, Webhook, CallbackSecret)))
    key_id = func.substr(sealed.subquery().c.sealed, 1, KEY_ID_CHARACTERS).label("key_id")
    counted = select(key_id, func.count()).group_by(key_id)
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(counted)
        return {bytes(key).decode("ascii", "replace"): count for key, count in rows}


async def remove_secret(
    database: Database, team_id: UUID, name: str, target: str | None = None
) -> int:
    """Remove a secret, for all its targets or for one; how many there were."""
    named = delete(Secret).where(col(Secret.team_id) == team_id, col(Secret.name) == name)
    if target is not None:
        named = named.where(col(Secret.target) == target)
    async with database.writing() as connection:
        removed = await connection.execute(named.returning(col(Secret.id)))
        return len(removed.all())


async def secrets_of_team(
    database: Database, team_id: UUID
) -> tuple[str | None, Sequence[StoredSecret]]:
    """The name of a team and its secrets. One query, whatever there is."""
    columns = select(
        col(Team.name), col(Secret.name), col(Secret.target), col(Secret.sealed)
    ).select_from(Team)
    ours = columns.join(Secret, col(Secret.team_id) == col(Team.id), isouter=True)
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(ours.where(col(Team.id) == team_id))).all()
    stored = [
        StoredSecret(team_id, name, target, sealed)
        for _, name, target, sealed in rows
        if sealed is not None
    ]
    return (rows[0][0] if rows else None), stored
