"""The cache: results that equal steps are given instead of being run."""

from typing import Annotated

from fastapi import Depends

from activities.store import result_cache
from activities.store.result_cache import Clearing
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.wire.requests import ClearRequest
from api.wire.responses.cache import Cleared, KeptResult
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/cache", tags=["cache"])


@router.get("", operation_id="listKeptResults")
async def list_results(
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[KeptResult]:
    """List the results that the team's steps can be given, newest first."""
    items, following = await result_cache.list_results(
        services.database, team_id, parse_cursor(cursor), limit
    )
    return Page(
        items=[KeptResult.model_validate(item, from_attributes=True) for item in items],
        next_cursor=cursor_text(following),
    )


@router.post("/clear")
async def clear_cache(
    request: Annotated[ClearRequest, Depends(Body(ClearRequest))],
    services: ServicesDep,
    actor: ActorDep,
) -> Cleared:
    """Remove results, so that equal steps run again: all, or those that all given names hold of.

    What is being made meanwhile is not kept either.
    """
    clearing = Clearing(step=request.step, skill=request.skill, tool=request.tool)
    return Cleared(cleared=await result_cache.clear(services.database, actor, clearing))
