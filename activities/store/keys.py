"""Teams and their API keys. Of a key only its SHA-256 is kept: the key itself is shown once."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.store import audit
from activities.store.audit import LOCAL_USER, Actor, Deed
from activities.store.database import Database
from activities.store.tables import ApiKey, Team

# The one team of a stack that asks for no keys.
DEFAULT_TEAM = UUID("00000000-0000-4000-8000-000000000001")
KEY_PREFIX = "ak_"
_SECRET_BYTES = 32
_SHOWN_CHARACTERS = len(KEY_PREFIX) + 6


@dataclass(frozen=True, slots=True)
class NewKey:
    """``secret`` is what a client sends. Nobody can read it again."""

    id: UUID
    prefix: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


def digest_of(secret: str) -> str:
    """A plain hash will do: a key has 256 random bits, which nobody can guess through."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_team(database: Database, name: str) -> UUID:
    """The team of that name, made unless it is there."""
    async with database.writing() as connection:
        await connection.execute(
            insert(Team).values(id=uuid4(), name=name).on_conflict_do_nothing()
        )
        found = await connection.scalar(select(col(Team.id)).where(col(Team.name) == name))
    assert found is not None
    return found


async def find_team(database: Database, name: str) -> UUID | None:
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(select(col(Team.id)).where(col(Team.name) == name))


async def create_key(database: Database, team_id: UUID, name: str) -> NewKey:
    """``name`` tells people what the key is for."""
    secret = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    key = NewKey(id=uuid4(), prefix=secret[:_SHOWN_CHARACTERS], secret=secret)
    async with database.writing() as connection:
        await connection.execute(
            insert(ApiKey).values(
                id=key.id, team_id=team_id, name=name, prefix=key.prefix, digest=digest_of(secret)
            )
        )
        details = {"name": name, "prefix": key.prefix}
        deed = Deed("key.created", str(key.id), details=details)
        await audit.note(connection, Actor(team_id, LOCAL_USER), deed)
    return key


async def revoke_key(database: Database, team_id: UUID, key_id: UUID) -> bool:
    """False when the team has no such key, or it was revoked before."""
    async with database.writing() as connection:
        revoked = await connection.scalar(
            update(ApiKey)
            .where(
                col(ApiKey.id) == key_id,
                col(ApiKey.team_id) == team_id,
                col(ApiKey.revoked_at).is_(None),
            )
            .values(revoked_at=func.now())
            .returning(col(ApiKey.name))
        )
        if revoked is None:
            return False
        deed = Deed("key.revoked", str(key_id), details={"name": revoked})
        await audit.note(connection, Actor(team_id, LOCAL_USER), deed)
    return True


async def list_keys(database: Database, team_id: UUID) -> Sequence[KeyInfo]:
    """The newest first, revoked ones too."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(
                col(ApiKey.id),
                col(ApiKey.name),
                col(ApiKey.prefix),
                col(ApiKey.created_at),
                col(ApiKey.revoked_at),
            )
            .where(col(ApiKey.team_id) == team_id)
            .order_by(col(ApiKey.created_at).desc())
        )
        return [KeyInfo(*row) for row in rows]


async def actor_of_key(database: Database, digest: str) -> Actor | None:
    """Whose key this is; None when it is unknown or revoked."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(ApiKey.team_id), col(ApiKey.name), col(ApiKey.prefix)).where(
                col(ApiKey.digest) == digest, col(ApiKey.revoked_at).is_(None)
            )
        )
        found = rows.one_or_none()
    return None if found is None else actor_named(found.team_id, found.name, found.prefix)


def actor_named(team_id: UUID, name: str, prefix: str) -> Actor:
    """Whoever sends the key of that name."""
    return Actor(team_id, f"{name} ({prefix}...)")


async def valid_keys(database: Database, digests: Collection[str]) -> set[str]:
    """Those of some keys that are known and not revoked."""
    async with database.reading(fresh=True) as connection:
        found = await connection.scalars(
            select(col(ApiKey.digest)).where(
                col(ApiKey.digest).in_(digests), col(ApiKey.revoked_at).is_(None)
            )
        )
        return set(found)
