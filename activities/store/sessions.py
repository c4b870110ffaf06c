"""Sessions of the web page: a browser keeps a random token instead of the API key.

A session ends by itself, when its browser logs out, and with its key.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import actor_named, digest_of
from activities.store.tables import ApiKey, Session

SESSION_DAYS = 30
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose session it is, and the digest of the key that it was begun with."""

    actor: Actor
    key_digest: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """``token`` is what the browser keeps. Nobody can read it again."""

    token: str = field(repr=False)
    lasts: timedelta = timedelta(days=SESSION_DAYS)


async def begin_session(database: Database, key_digest: str) -> NewSession | None:
    """None when the key is unknown or revoked. What has expired meanwhile is removed."""
    session = NewSession(secrets.token_urlsafe(_TOKEN_BYTES))
    values = select(
        literal(digest_of(session.token)),
        col(ApiKey.team_id),
        col(ApiKey.id),
        func.now() + session.lasts,
    ).where(col(ApiKey.digest) == key_digest, col(ApiKey.revoked_at).is_(None))
    columns = ["digest", "team_id", "key_id", "expires_at"]
    async with database.writing() as connection:
        await connection.execute(delete(Session).where(col(Session.expires_at) < func.now()))
        begun = await connection.execute(
            insert(Session).from_select(columns, values).returning(col(Session.digest))
        )
        return session if begun.first() else None


async def visitor_of(database: Database, token_digest: str) -> Visitor | None:
    """None when there is no such session, or none any more."""
    query = (
        select(col(ApiKey.team_id), col(ApiKey.name), col(ApiKey.prefix), col(ApiKey.digest))
        .join(Session, col(Session.key_id) == col(ApiKey.id))
        .where(
            col(Session.digest) == token_digest,
            col(Session.expires_at) > func.now(),
            col(ApiKey.revoked_at).is_(None),
        )
    )
    async with database.reading(fresh=True) as connection:
        found = (await connection.execute(query)).one_or_none()
    if found is None:
        return None
    return Visitor(actor_named(found.team_id, found.name, found.prefix), found.digest)


async def end_session(database: Database, token_digest: str) -> None:
    """Log out. One that has ended already stays so."""
    async with database.writing() as connection:
        await connection.execute(delete(Session).where(col(Session.digest) == token_digest))
