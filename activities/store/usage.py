"""What teams may use of models a day, and what they used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from activities.store import audit
from activities.store.audit import LOCAL_USER, Actor, Deed
from activities.store.database import Database
from activities.store.tables import Team, TeamUsage


@dataclass(frozen=True, slots=True)
class DayUsage:
    """A day (UTC) on which a team's agents asked models. Tokens are those of prompts and answers
    together."""

    day: date
    tokens: int
    cost_usd: float


async def usage_by_day(database: Database, team_id: UUID, limit: int) -> Sequence[DayUsage]:
    """The last ``limit`` days on which there was any, the latest first."""
    async with database.reading() as connection:
        rows = await connection.execute(
            select(col(TeamUsage.day), col(TeamUsage.tokens), col(TeamUsage.cost_usd))
            .where(col(TeamUsage.team_id) == team_id)
            .order_by(col(TeamUsage.day).desc())
            .limit(limit)
        )
        return [DayUsage(*row) for row in rows]


async def daily_tokens(database: Database, team_id: UUID) -> int | None:
    """A team's own quota: 0 is no limit, None that of the server's settings."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(
            select(col(Team.daily_tokens)).where(col(Team.id) == team_id)
        )


async def set_daily_tokens(database: Database, team_id: UUID, tokens: int | None) -> None:
    """It counts from the next call of a model on."""
    async with database.writing() as connection:
        await connection.execute(
            update(Team).where(col(Team.id) == team_id).values(daily_tokens=tokens)
        )
        deed = Deed("team.quota_set", str(team_id), details={"daily_tokens": tokens})
        await audit.note(connection, Actor(team_id, LOCAL_USER), deed)
