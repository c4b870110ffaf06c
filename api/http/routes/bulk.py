"""Bulk: the same done about many dead letters or tasks."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response

from activities.store.reading.bulk import list_runs
from activities.store.reading.task_ids import moment
from api.bulk import runs, views
from api.bulk.errors import BulkConflict, TooManyBulkRuns, TooManyLetters, TooManyTasks
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.wire.bulk import AbortRequest, BulkDiscardRequest, BulkRequeueRequest
from api.wire.bulk_tasks import BulkCancelRequest, BulkDeleteRequest, BulkRetryRequest
from api.wire.responses.base import API
from api.wire.responses.bulk import BulkForesight, BulkRun
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(tags=["bulk"])

_FORESIGHT: dict[int | str, Any] = {200: {"model": BulkForesight}}
_OF_LETTERS = {**refusals(TooManyBulkRuns, TooManyLetters), **_FORESIGHT}
_OF_TASKS = {**refusals(TooManyBulkRuns, TooManyTasks), **_FORESIGHT}


@router.post(
    "/dead-letters/requeue",
    status_code=202,
    responses=_OF_LETTERS,
    operation_id="requeueDeadLetters",
)
async def requeue_many(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[BulkRequeueRequest, Depends(Body(BulkRequeueRequest))],
) -> BulkRun | BulkForesight:
    """Run the tasks of many dead letters again, or say what that would do.

    Which ones is settled when it is asked for.
    """
    return await _start(response, services, actor, wanted)


@router.post(
    "/dead-letters/discard",
    status_code=202,
    responses=_OF_LETTERS,
    operation_id="discardDeadLetters",
)
async def discard_many(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[BulkDiscardRequest, Depends(Body(BulkDiscardRequest))],
) -> BulkRun | BulkForesight:
    """Say that nothing is to be done about many dead letters, or how many these would be."""
    return await _start(response, services, actor, wanted)


@router.post("/tasks/cancel", status_code=202, responses=_OF_TASKS, operation_id="cancelTasks")
async def cancel_many(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[BulkCancelRequest, Depends(Body(BulkCancelRequest))],
) -> BulkRun | BulkForesight:
    """Cancel many tasks, or say how many these would be."""
    return await _start(response, services, actor, wanted)


@router.post("/tasks/retry", status_code=202, responses=_OF_TASKS, operation_id="retryTasks")
async def retry_many(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[BulkRetryRequest, Depends(Body(BulkRetryRequest))],
) -> BulkRun | BulkForesight:
    """Retry many tasks that have ended, or say what that would do."""
    return await _start(response, services, actor, wanted)


@router.post("/tasks/delete", status_code=202, responses=_OF_TASKS, operation_id="deleteTasks")
async def delete_many(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[BulkDeleteRequest, Depends(Body(BulkDeleteRequest))],
) -> BulkRun | BulkForesight:
    """Delete many tasks that have ended, or say how many these would be."""
    return await _start(response, services, actor, wanted)


@router.get("/bulk", operation_id="listBulkRuns")
async def list_bulk(
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[BulkRun]:
    """List bulk runs, newest first."""
    items, following = await list_runs(services.database, team_id, parse_cursor(cursor), limit)
    return Page(items=list(map(views.bulk_run, items)), next_cursor=cursor_text(following))


@router.get("/bulk/{bulk_id}", operation_id="getBulkRun")
async def get_bulk(bulk_id: UUID, services: ServicesDep, team_id: TeamDep) -> BulkRun:
    """Show how far a bulk run is, and why letters or tasks were skipped."""
    return views.bulk_run(await runs.load_run(services, team_id, bulk_id))


@router.post(
    "/bulk/{bulk_id}/abort",
    status_code=202,
    responses=refusals(BulkConflict),
    operation_id="abortBulkRun",
)
async def abort_bulk(
    bulk_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[AbortRequest, Depends(Body(AbortRequest, default=AbortRequest()))],
) -> BulkRun:
    """Leave the rest as it is. Tasks that run again already go on."""
    return views.bulk_run(await runs.abort(services, actor, bulk_id, wanted.note))


async def _start(
    response: Response, services: ServicesDep, actor: ActorDep, wanted: runs.BulkRequest
) -> BulkRun | BulkForesight:
    if wanted.dry_run:
        response.status_code = 200
        as_of = await moment(services.database)
        count, foreseen = await runs.foresee(services, actor.team_id, wanted)
        return views.foresight(count, foreseen, as_of)
    run = views.bulk_run(await runs.start(services, actor, wanted))
    response.headers["Location"] = f"{services.options.public_url}{API}/bulk/{run.id}"
    return run
