"""Usage: tokens and cost of a team's agents, and what they may use today."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from activities.store.usage import daily_tokens, usage_by_day
from api.http.dependencies import ServicesDep, TeamDep
from api.wire.responses.usage import DayUsage, TeamUsage

MAX_DAYS = 366

router = APIRouter(prefix="/usage", tags=["usage"])


@router.get("")
async def get_usage(
    services: ServicesDep,
    team_id: TeamDep,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30,
) -> TeamUsage:
    """Show the team's token quota, and the last days on which it used any. Days are in UTC."""
    own = await daily_tokens(services.database, team_id)
    quota = services.options.daily_tokens if own is None else own
    found = await usage_by_day(services.database, team_id, days)
    today = datetime.now(UTC).date()
    used = next((item.tokens for item in found if item.day == today), 0)
    return TeamUsage(
        daily_tokens=quota or None,
        tokens_left=max(0, quota - used) if quota else None,
        days=[DayUsage(day=item.day, tokens=item.tokens, cost_usd=item.cost_usd) for item in found],
    )
