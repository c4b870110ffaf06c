"""Usage: tokens and cost of a team's agents, and what they may use today."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from activities.store import usage
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.wire.responses.usage import DayUsage, OfModel, TeamUsage

MAX_DAYS = 366
# Sums of the same dollars in another order differ by less.
_LEAST_USD = 1e-9

router = Routes(prefix="/usage", tags=["usage"])


@router.get("")
async def get_usage(
    services: ServicesDep,
    team_id: TeamDep,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30,
) -> TeamUsage:
    """Show the team's token quota, and the last days on which it used any. Days are in UTC."""
    own = await usage.daily_tokens(services.database, team_id)
    quota = services.options.daily_tokens if own is None else own
    found = await usage.usage_by_day(services.database, team_id, days)
    today = datetime.now(UTC).date()
    used = next((item.tokens for item in found if item.day == today), 0)
    return TeamUsage(
        daily_tokens=quota or None,
        tokens_left=max(0, quota - used) if quota else None,
        days=[_day(item) for item in found],
    )


def _day(used: usage.DayUsage) -> DayUsage:
    models = [
        OfModel(
            model=each.model,
            tokens=each.tokens,
            prompt_tokens=each.prompt_tokens,
            completion_tokens=each.completion_tokens,
            cost_usd=each.cost_usd,
        )
        for each in used.models
    ]
    tokens = used.tokens - sum(each.tokens for each in used.models)
    cost_usd = used.cost_usd - sum(each.cost_usd for each in used.models)
    if tokens > 0 or cost_usd > _LEAST_USD:
        rest = {"tokens": max(0, tokens), "cost_usd": max(0.0, cost_usd)}
        models.append(OfModel(model=None, prompt_tokens=None, completion_tokens=None, **rest))
    return DayUsage(day=used.day, tokens=used.tokens, cost_usd=used.cost_usd, models=models)
