"""Circuit breakers: which are open, and opening and closing them by hand."""

from typing import Annotated

from fastapi import Depends, Path

from activities.store.audit import Actor
from activities.store.breaker_decisions import decide, list_breakers
from activities.store.breakers import StoredBreaker
from api.errors import BreakerNotFound, InvalidRequest, TooManyBreakers
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep
from api.http.openapi import refusals
from api.http.paging import NO_CURSOR, CursorText, Limit
from api.http.routing import Routes
from api.services import Services
from api.tasks.breaker_names import check_breaker_name
from api.wire.requests import BreakerDecision, Text
from api.wire.responses.breakers import Breaker
from api.wire.responses.pages import DEFAULT_PAGE, Page
from workflows.states import BreakerState

router = Routes(prefix="/breakers", tags=["breakers"])

BreakerName = Annotated[
    Text, Path(description="`tool:NAME`, `mcp:SERVER` or `model:NAME`", min_length=1)
]
Decision = Annotated[BreakerDecision, Depends(Body(BreakerDecision, default=BreakerDecision()))]


@router.get("", operation_id="listBreakers")
async def get_breakers(
    services: ServicesDep,
    actor: ActorDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Breaker]:
    """List the team's breakers that are not closed, or opened in the last day, by name."""
    after = cursor or ""
    if "\x00" in after:
        raise InvalidRequest([NO_CURSOR])
    found = await list_breakers(services.database, actor, after=after, limit=limit + 1)
    following = found[limit - 1].name if len(found) > limit else None
    return Page(items=[_answer(each) for each in found[:limit]], next_cursor=following)


@router.post("/{name:path}/open", responses=refusals(BreakerNotFound, TooManyBreakers))
async def open_breaker(
    name: BreakerName, decision: Decision, services: ServicesDep, actor: ActorDep
) -> Breaker:
    """Open a breaker by hand: calls are refused, or wait, until it is tried or closed."""
    return await _decide(services, actor, name, decision, BreakerState.OPEN)


@router.post("/{name:path}/close", responses=refusals(BreakerNotFound, TooManyBreakers))
async def close_breaker(
    name: BreakerName, decision: Decision, services: ServicesDep, actor: ActorDep
) -> Breaker:
    """Close a breaker by hand. It counts anew, with ``seconds`` only after these."""
    return await _decide(services, actor, name, decision, BreakerState.CLOSED)


async def _decide(
    services: Services, actor: Actor, name: str, decision: BreakerDecision, state: BreakerState
) -> Breaker:
    await check_breaker_name(services, actor, name)
    decided = await decide(
        services.database, actor, name, state, seconds=decision.seconds, note=decision.note
    )
    if decided is None:
        raise TooManyBreakers
    return _answer(decided)


def _answer(breaker: StoredBreaker) -> Breaker:
    return Breaker(
        name=breaker.name,
        state=breaker.state,
        failures=breaker.failures,
        calls=breaker.calls,
        opened_at=breaker.opened_at,
        until=breaker.until,
        reason=breaker.reason,
        opened=breaker.opened,
        decided_by=breaker.decided_by,
        note=breaker.note,
    )
