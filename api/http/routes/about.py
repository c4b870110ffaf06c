"""What one talks to, and as whom."""

import platform
from functools import cache
from importlib.metadata import version

from activities.store.keys import team_name
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routing import Routes
from api.wire.responses.about import About

router = Routes(prefix="/about", tags=["about"])


@router.get("")
async def get_about(services: ServicesDep, actor: ActorDep) -> About:
    """Tell the version, the team, and by which name the audit log knows you."""
    options = services.options
    return About(
        version=_version(),
        python=platform.python_version(),
        team_id=actor.team_id,
        team=await team_name(services.database, actor.team_id),
        actor=actor.name,
        keys_required=options.keys_required,
        sandbox=options.sandbox,
        temporal_url=options.temporal_ui_url,
    )


@cache
def _version() -> str:
    return version("agentos")
