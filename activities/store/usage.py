"""What teams may use of models a day, and what they used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import LOCAL_USER, Actor, Deed
from activities.store.database import Database
from activities.store.tables import ModelUsage, Team, TeamUsage

# Of a day; what is beyond them is not told apart.
MOST_MODELS = 50


@dataclass(frozen=True, slots=True)
class OfModel:
    """What one model took on a day."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class DayUsage:
    """A day (UTC) on which a team's agents asked models. Tokens are those of prompts and answers
    together. ``models`` begin with the one that took most."""

    day: date
    tokens: int
    cost_usd: float
    models: Sequence[OfModel] = ()


async def usage_by_day(database: Database, team_id: UUID, limit: int) -> Sequence[DayUsage]:
    """The last ``limit`` days on which there was any, the latest first."""
    async with database.reading() as connection:
        rows = await connection.execute(
            select(col(TeamUsage.day), col(TeamUsage.tokens), col(TeamUsage.cost_usd))
            .where(col(TeamUsage.team_id) == team_id)
            .order_by(col(TeamUsage.day).desc())
            .limit(limit)
        )
        found = [DayUsage(*row) for row in rows]
        if not found:
            return found
        models = await _by_model(connection, team_id, found[-1].day)
    return [replace(each, models=models.get(each.day, ())) for each in found]


async def _by_model(
    connection: AsyncConnection, team_id: UUID, first: date
) -> Mapping[date, Sequence[OfModel]]:
    used = ModelUsage
    tokens = col(used.prompt_tokens) + col(used.completion_tokens)
    rows = await connection.execute(
        select(
            col(used.day),
            col(used.model),
            col(used.prompt_tokens),
            col(used.completion_tokens),
            col(used.cost_usd),
        )
        .where(col(used.team_id) == team_id, col(used.day) >= first)
        .order_by(col(used.day), tokens.desc(), col(used.model))
    )
    days: dict[date, list[OfModel]] = {}
    for day, model, prompt, completion, cost_usd in rows:
        models = days.setdefault(day, [])
        if len(models) < MOST_MODELS:
            models.append(OfModel(model, prompt, completion, cost_usd))
    return days


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
