"""Housekeeping: how long things are kept, and what was removed."""

from activities.retention import Retention
from activities.store.housekeeping.progress import SweepProgress, last_pass, progress_of
from activities.store.retention import TeamRetention, team_retention
from api.housekeeping.housekeeper import KEEPS, NAMES
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routing import Routes
from api.wire.responses.housekeeping import HousekeepingView, PassView, SweepView

router = Routes(prefix="/housekeeping", tags=["housekeeping"])


@router.get("")
async def get_housekeeping(services: ServicesDep, team_id: TeamDep) -> HousekeepingView:
    """Show how long the team's things are kept, and what was removed of them so far."""
    own = await team_retention(services.database, team_id)
    retention = own.over(services.options.housekeeping.retention)
    found = await progress_of(services.database, team_id, NAMES)
    last = await last_pass(services.database)
    return HousekeepingView(
        sweeps=[_view(sweep, retention, own) for sweep in found],
        last_pass=PassView(
            began_at=last.began_at,
            ended_at=last.ended_at,
            duration_ms=last.duration_ms,
            removed=last.removed,
        ),
    )


def _view(sweep: SweepProgress, retention: Retention, own: TeamRetention) -> SweepView:
    keep = KEEPS[sweep.name]
    return SweepView(
        name=sweep.name,
        keep_days=0 if keep is None else retention.model_dump()[keep],
        is_own=keep in own.own,
        removed=sweep.removed,
        freed_bytes=sweep.freed_bytes,
        remaining=sweep.remaining,
        swept_at=sweep.swept_at,
    )
