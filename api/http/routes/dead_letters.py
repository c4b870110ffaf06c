"""Dead letters: list, group, look at, requeue, discard."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.dead_letters import DeadLetterFilter, list_letters
from activities.store.reading.letter_groups import Order, list_groups
from api.dead_letters import letters, views
from api.dead_letters.errors import LetterConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import (
    CursorText,
    Limit,
    Moment,
    cursor_text,
    group_place_text,
    parse_cursor,
    parse_group_place,
)
from api.http.routing import Routes
from api.wire.requests import DiscardRequest, RequeueRequest, Text
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup, Foresight
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.tasks import Changed
from workflows.states import LetterState, TaskType

router = Routes(prefix="/dead-letters", tags=["dead-letters"])


async def _filter(
    *,
    state: Annotated[tuple[LetterState, ...], Query()] = (LetterState.OPEN,),
    fingerprint: Annotated[Text | None, Query(max_length=64)] = None,
    type: Annotated[tuple[TaskType, ...], Query()] = (),  # noqa: A002  (its name in the query)
    text: Annotated[Text | None, Query(max_length=200)] = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    task_id: UUID | None = None,
) -> DeadLetterFilter:
    return DeadLetterFilter(state, fingerprint, type, text, created_after, created_before, task_id)


Wanted = Annotated[DeadLetterFilter, Depends(_filter)]


@router.get("")
async def list_dead_letters(
    services: ServicesDep,
    team_id: TeamDep,
    wanted: Wanted,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[DeadLetter]:
    """List dead letters, newest first: the open ones, unless ``state`` says otherwise."""
    place = parse_cursor(cursor)
    items, following = await list_letters(services.database, team_id, wanted, place, limit)
    return Page(items=list(map(views.letter, items)), next_cursor=cursor_text(following))


@router.get("/groups")
async def list_dead_letter_groups(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    wanted: Wanted,
    order: Order = Order.LATEST,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[DeadLetterGroup]:
    """List groups of dead letters that are alike, those first that were seen last, or the largest.

    ``buckets`` are how many came when, from the first to the last.
    """
    place = parse_group_place(cursor, order)
    items, following = await list_groups(
        services.database, team_id, wanted, place, limit, order=order
    )
    return Page(items=list(map(views.group, items)), next_cursor=group_place_text(following))


# Nothing but an id: `/dead-letters/requeue` is another call, which knows POST only.
@router.get("/{letter_id:uuid}")
async def get_dead_letter(letter_id: UUID, services: ServicesDep, team_id: TeamDep) -> DeadLetter:
    """Show a dead letter, whatever was done about it."""
    return views.letter(await letters.load_letter(services, team_id, letter_id))


@router.post(
    "/{letter_id}/requeue",
    status_code=202,
    responses={**refusals(LetterConflict), 200: {"model": Foresight}},
    operation_id="requeueDeadLetter",
)
async def requeue(
    letter_id: UUID,
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[RequeueRequest, Depends(Body(RequeueRequest, default=RequeueRequest()))],
) -> Changed | Foresight:
    """Run the task of a dead letter again, once; or say what that would do."""
    if wanted.dry_run:
        response.status_code = 200
        foreseen = await letters.foresee_requeue(services, actor.team_id, letter_id, wanted)
        return views.foresight(foreseen)
    return await letters.requeue(services, actor, letter_id, wanted)


@router.post(
    "/{letter_id}/discard", responses=refusals(LetterConflict), operation_id="discardDeadLetter"
)
async def discard(
    letter_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[DiscardRequest, Depends(Body(DiscardRequest))],
) -> DeadLetter:
    """Say that nothing is to be done about a dead letter, and why."""
    return views.letter(await letters.discard(services, actor, letter_id, wanted.note))
