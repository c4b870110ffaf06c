"""What people do about many dead letters or tasks: start a bulk run, look at it, abort it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from pydantic import JsonValue

from activities.store import bulk
from activities.store.audit import Actor
from activities.store.bulk import NewBulkRun
from activities.store.reading.bulk import StoredRun, find_run
from api.bulk.choosing import choose_letters, choose_tasks
from api.bulk.errors import BulkConflict, TooManyBulkRuns
from api.dead_letters.foresight import Foresight, foresee_all
from api.errors import NotFound
from api.services import Services
from api.wire.bulk import BulkDiscardRequest, BulkRequeueRequest
from api.wire.bulk_tasks import BulkRetryRequest, BulkTasksRequest
from workflows.states import BulkAction, BulkState

MAX_RUNNING = 10  # of a team
# A dry run looks at each task; of more than these it tells the number alone.
MAX_FORESEEN = 200

BulkRequest = BulkRequeueRequest | BulkDiscardRequest | BulkTasksRequest


async def start(services: Services, actor: Actor, request: BulkRequest) -> StoredRun:
    """Make a bulk run of the letters or tasks that match now; it is worked on from then on.

    Raises:
        TooManyLetters, TooManyTasks, TooManyBulkRuns
    """
    items: Sequence[UUID]
    if isinstance(request, BulkTasksRequest):
        items = await choose_tasks(services, actor.team_id, request)
    else:
        items = list(await choose_letters(services, actor.team_id, request))
    new = NewBulkRun(
        id=uuid4(),
        action=_action(request),
        filter=_document(request),
        request=_of_one(request),
        note=request.note,
        canary=request.canary if isinstance(request, BulkRequeueRequest) else 0,
        rate=request.rate,
        items=items,
    )
    if await bulk.create_run(services.database, actor, new, most=MAX_RUNNING) is None:
        raise TooManyBulkRuns(limit=MAX_RUNNING)
    if not items:
        await bulk.end_run(services.database, new.id, BulkState.COMPLETED)
    return await load_run(services, actor.team_id, new.id)


async def foresee(services: Services, team_id: UUID, request: BulkRequest) -> tuple[int, Foresight]:
    """How many letters or tasks a bulk run would deal with, and what it would do of the first.

    Raises:
        TooManyLetters, TooManyTasks
    """
    if isinstance(request, BulkTasksRequest):
        ids = await choose_tasks(services, team_id, request)
        if not isinstance(request, BulkRetryRequest):
            return len(ids), Foresight()
        return len(ids), await foresee_all(services, team_id, ids[:MAX_FORESEEN], request.of_one)
    chosen = await choose_letters(services, team_id, request)
    if isinstance(request, BulkDiscardRequest):
        return len(chosen), Foresight()
    tasks = [task_id for task_id in chosen.values() if task_id is not None]
    return len(chosen), await foresee_all(services, team_id, tasks[:MAX_FORESEEN], request.of_one)


async def load_run(services: Services, team_id: UUID, bulk_id: UUID) -> StoredRun:
    """Raises ``NotFound``."""
    run = await find_run(services.database, team_id, bulk_id)
    if run is None:
        raise NotFound(kind="bulk run", id=bulk_id)
    return run


async def abort(services: Services, actor: Actor, bulk_id: UUID, note: str) -> StoredRun:
    """Leave what is left as it is; a repeat changes nothing. Tasks that run again already go on.

    Raises:
        NotFound
        BulkConflict: it has ended by itself.
    """
    await bulk.abort_run(services.database, actor, bulk_id, note)
    run = await load_run(services, actor.team_id, bulk_id)
    if run.state is not BulkState.ABORTED:
        raise BulkConflict(id=bulk_id, state=run.state)
    return run


def _action(request: BulkRequest) -> BulkAction:
    if isinstance(request, BulkTasksRequest):
        return request.action
    is_requeue = isinstance(request, BulkRequeueRequest)
    return BulkAction.REQUEUE if is_requeue else BulkAction.DISCARD


def _document(request: BulkRequest) -> dict[str, JsonValue] | None:
    """What was asked for. Of tasks that were named one by one, it is their number."""
    if isinstance(request, BulkTasksRequest) and request.ids:
        return {"ids": len(request.ids)}
    if request.filter is None:
        return None
    return request.filter.model_dump(mode="json", exclude_defaults=True)


def _of_one(request: BulkRequest) -> dict[str, JsonValue]:
    if isinstance(request, BulkRequeueRequest | BulkRetryRequest):
        return request.of_one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {}
