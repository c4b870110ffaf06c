"""Teams and their API keys. Of a key only its SHA-256 is kept: the key itself is shown once."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import LOCAL_USER, Actor, Deed
from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import ApiKey, Team
from activities.store.team_lock import lock_team

# The one team of a stack that asks for no keys.
DEFAULT_TEAM = UUID("00000000-0000-4000-8000-000000000001")
KEY_PREFIX = "ak_"
# Of a team, in use at once, where people make keys themselves.
MAX_KEYS = 100
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


_COLUMNS = (
    col(ApiKey.id),
    col(ApiKey.name),
    col(ApiKey.prefix),
    col(ApiKey.created_at),
    col(ApiKey.revoked_at),
)


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


async def team_name(database: Database, team_id: UUID) -> str:
    """Of a team that is there."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(select(col(Team.name)).where(col(Team.id) == team_id)) or ""


async def create_key(
    database: Database, team_id: UUID, name: str, *, by: str = LOCAL_USER
) -> NewKey:
    """``name`` tells people what the key is for; ``by`` is who makes it."""
    new = _new_key()
    async with database.writing() as connection:
        await _write(connection, Actor(team_id, by), new, name)
    return new


async def add_key(database: Database, actor: Actor, name: str) -> tuple[NewKey, KeyInfo] | None:
    """A key that somebody makes who is not the operator: None when the team has ``MAX_KEYS`` in
    use."""
    new, ours = _new_key(), col(ApiKey.team_id) == actor.team_id
    in_use = select(func.count()).where(ours, col(ApiKey.revoked_at).is_(None))
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        if (await connection.scalar(in_use) or 0) >= MAX_KEYS:
            return None
        created_at = await _write(connection, actor, new, name)
    return new, KeyInfo(new.id, name, new.prefix, created_at, None)


def _new_key() -> NewKey:
    secret = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    return NewKey(id=uuid4(), prefix=secret[:_SHOWN_CHARACTERS], secret=secret)


async def _write(connection: AsyncConnection, actor: Actor, new: NewKey, name: str) -> datetime:
    created_at: datetime | None = await connection.scalar(
        insert(ApiKey)
        .values(
            id=new.id,
            team_id=actor.team_id,
            name=name,
            prefix=new.prefix,
            digest=digest_of(new.secret),
        )
        .returning(col(ApiKey.created_at))
    )
    assert created_at is not None
    details = {"name": name, "prefix": new.prefix}
    await audit.note(connection, actor, Deed("key.created", str(new.id), details=details))
    return created_at


async def revoke_key(
    database: Database, team_id: UUID, key_id: UUID, *, by: str = LOCAL_USER
) -> bool:
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
        await audit.note(connection, Actor(team_id, by), deed)
    return True


async def list_keys(database: Database, team_id: UUID) -> Sequence[KeyInfo]:
    """The newest first, revoked ones too."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(*_COLUMNS)
            .where(col(ApiKey.team_id) == team_id)
            .order_by(col(ApiKey.created_at).desc())
        )
        return [KeyInfo(*row) for row in rows]


async def page_of_keys(
    database: Database, team_id: UUID, cursor: Cursor | None, limit: int, *, in_use: bool | None
) -> tuple[Sequence[KeyInfo], Cursor | None]:
    """A page, the newest first: those in use, those that were revoked, or both for None. And the
    place of its last one if there are more."""
    query = select(*_COLUMNS).where(col(ApiKey.team_id) == team_id)
    if in_use is not None:
        is_in_use = col(ApiKey.revoked_at).is_(None)
        query = query.where(is_in_use if in_use else not_(is_in_use))
    created_at, key = col(ApiKey.created_at), col(ApiKey.id)
    if cursor is not None:
        query = query.where(cursor.before(created_at, key))
    query = query.order_by(created_at.desc(), key.desc()).limit(limit + 1)
    async with database.reading(fresh=True) as connection:
        found = [KeyInfo(*row) for row in await connection.execute(query)]
    return cut(found, limit, lambda each: Cursor(each.created_at, each.id))


async def find_key(database: Database, team_id: UUID, key_id: UUID) -> KeyInfo | None:
    query = select(*_COLUMNS).where(col(ApiKey.team_id) == team_id, col(ApiKey.id) == key_id)
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else KeyInfo(*row)


async def key_of_digest(database: Database, team_id: UUID, digest: str) -> UUID | None:
    """Which key somebody came with."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(
            select(col(ApiKey.id)).where(
                col(ApiKey.team_id) == team_id, col(ApiKey.digest) == digest
            )
        )


async def count_keys(database: Database, team_id: UUID) -> int:
    """How many a team has in use."""
    ours = select(func.count()).where(col(ApiKey.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(ours.where(col(ApiKey.revoked_at).is_(None))) or 0


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
