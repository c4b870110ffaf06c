"""Limits on what runs at once, and what waits for them."""

from activities.store.reading.limits import LimitUse, limit_use
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.wire.responses.limits import Limit, LimitList

DEFAULT_WEIGHT = 1.0

router = Routes(prefix="/limits", tags=["limits"])


@router.get("")
async def list_limits(services: ServicesDep, team_id: TeamDep) -> LimitList:
    """Show the limits that hold for the team, how much runs under each, and how much waits."""
    limits = await services.limits.read()
    use = await limit_use(services.database)
    items = [
        Limit(
            name=limit.name,
            max_running=limit.bounds.running,
            per_minute=limit.bounds.per_minute,
            running=use.get(key, LimitUse()).used,
            waiting=use.get(key, LimitUse()).waiting,
        )
        for key, limit in limits.by_key.items()
        if limit.team_id in {None, team_id}
    ]
    weight = limits.weights.get(team_id, DEFAULT_WEIGHT)
    return LimitList(weight=weight, items=sorted(items, key=lambda item: item.name))
