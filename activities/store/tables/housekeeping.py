"""How far housekeeping is, and which blobs it is about to remove."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text
from sqlmodel import Field

from activities.store.columns import moment_column, text_column
from activities.store.row import Row


class Housekeeping(Row, table=True):
    """One row: who does a pass, until when at most, and how the last one went. ``database_id``
    tells this database from others, which may not remove what is in its bucket."""

    __tablename__ = "housekeeping"

    id: int = Field(primary_key=True)
    database_id: UUID
    holder: str | None = text_column()
    held_until: datetime | None = moment_column()
    began_at: datetime | None = moment_column()
    ended_at: datetime | None = moment_column()
    duration_ms: int | None = None
    removed: int = Field(default=0, sa_type=BigInteger)


class TeamSweep(Row, table=True):
    """How far a sweep is with a team: the next pass goes on behind the place (``place_at``,
    ``place_id``), or behind ``place_key``. Up to ``reached_at`` things may be gone already.
    ``remaining`` is how many are known to be left."""

    __tablename__ = "sweeps"

    name: str = Field(primary_key=True, sa_type=Text)
    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    place_at: datetime | None = moment_column()
    place_id: UUID | None = None
    reached_at: datetime | None = moment_column()
    place_key: str | None = text_column()
    removed: int = Field(default=0, sa_type=BigInteger)
    freed_bytes: int = Field(default=0, sa_type=BigInteger)
    remaining: int = 0
    swept_at: datetime = Field(sa_type=DateTime(timezone=True))


class CondemnedBlob(Row, table=True):
    """A blob that no row names. ``state`` is ``condemned``, ``deleting`` or ``deleted``, ``since``
    when it came to that."""

    __tablename__ = "condemned_blobs"
    __table_args__ = (Index("condemned_blobs_by_state", "team_id", "state", "since"),)

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    sha256: str = Field(primary_key=True, sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    state: str = text_column()
    since: datetime = Field(sa_type=DateTime(timezone=True))
