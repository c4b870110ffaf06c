"""How much is under way."""

from dataclasses import asdict

from activities.store.reading.counts import MOST_COUNTED, count_under_way
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.wire.responses.counts import TaskCounts

router = Routes(prefix="/counts", tags=["tasks"])


@router.get("")
async def get_counts(services: ServicesDep, team_id: TeamDep) -> TaskCounts:
    """Count what runs, what waits, what tries again, and what ended badly, as far as 10,000."""
    counts = await count_under_way(services.database, team_id)
    return TaskCounts(**asdict(counts), most=MOST_COUNTED)
