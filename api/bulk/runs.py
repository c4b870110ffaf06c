"""What people do about many dead letters at once: start a bulk run, look at it, abort it."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from pydantic import JsonValue

from activities.store import bulk
from activities.store.audit import Actor
from activities.store.bulk import NewBulkRun
from activities.store.reading.bulk import StoredRun, find_run
from activities.store.reading.cursor import Cursor
from activities.store.reading.dead_letters import DeadLetterFilter, list_letter_ids
from api.bulk.errors import BulkConflict, TooManyBulkRuns, TooManyLetters
from api.dead_letters.foresight import Foresight, foresee_all
from api.errors import NotFound
from api.services import Services
from api.wire.bulk import MAX_LETTERS, BulkDiscardRequest, BulkRequeueRequest, LetterFilter
from workflows.states import BulkAction, BulkState

MAX_RUNNING = 10  # of a team
# A dry run looks at each task; of more than these it tells the number alone.
MAX_FORESEEN = 200
_PAGE = 1_000

BulkRequest = BulkRequeueRequest | BulkDiscardRequest


async def start(services: Services, actor: Actor, request: BulkRequest) -> StoredRun:
    """Make a bulk run of the letters that match now; it is worked on from then on.

    Raises:
        TooManyLetters, TooManyBulkRuns
    """
    chosen = await choose(services, actor.team_id, request)
    is_requeue = isinstance(request, BulkRequeueRequest)
    new = NewBulkRun(
        id=uuid4(),
        action=BulkAction.REQUEUE if is_requeue else BulkAction.DISCARD,
        filter=_document(request.filter),
        request=_of_one(request),
        note=request.note,
        canary=request.canary if isinstance(request, BulkRequeueRequest) else 0,
        rate=request.rate,
        letters=list(chosen),
    )
    if await bulk.create_run(services.database, actor, new, most=MAX_RUNNING) is None:
        raise TooManyBulkRuns(limit=MAX_RUNNING)
    if not chosen:
        await bulk.end_run(services.database, new.id, BulkState.COMPLETED)
    return await load_run(services, actor.team_id, new.id)


async def choose(
    services: Services, team_id: UUID, request: BulkRequest
) -> Mapping[UUID, UUID | None]:
    """The ids of the letters that match, the oldest first, each with that of its task; None for
    those of webhooks, with which no task runs again. To be requeued, one of each task or webhook is
    enough: all of it goes on with that one. Raises ``TooManyLetters``."""
    wanted, found = _stored_filter(request.filter), dict[UUID, tuple[UUID, UUID | None]]()
    after: Cursor | None = None
    while True:
        page = await list_letter_ids(services.database, team_id, wanted, after, _PAGE)
        for letter_id, task_id, webhook_id, place in page:
            is_requeue = isinstance(request, BulkRequeueRequest)
            key = webhook_id or task_id if is_requeue else letter_id
            found.setdefault(key, (letter_id, None if webhook_id else task_id))
            after = place
        if len(found) > MAX_LETTERS:
            raise TooManyLetters(limit=f"{MAX_LETTERS:,}")
        if len(page) < _PAGE:
            return dict(found.values())


async def foresee(services: Services, team_id: UUID, request: BulkRequest) -> tuple[int, Foresight]:
    """How many letters a bulk run would deal with, and what it would do of the first ones.

    Raises ``TooManyLetters``.
    """
    chosen = await choose(services, team_id, request)
    if not isinstance(request, BulkRequeueRequest):
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
    """Leave the letters that are left as they are; a repeat changes nothing. Tasks that run again
    already go on.

    Raises:
        NotFound
        BulkConflict: it has ended by itself.
    """
    await bulk.abort_run(services.database, actor, bulk_id, note)
    run = await load_run(services, actor.team_id, bulk_id)
    if run.state is not BulkState.ABORTED:
        raise BulkConflict(id=bulk_id, state=run.state)
    return run


def _stored_filter(wanted: LetterFilter | None) -> DeadLetterFilter:
    if wanted is None:
        return DeadLetterFilter()
    return DeadLetterFilter(
        fingerprint=wanted.fingerprint,
        types=wanted.type,
        text=wanted.text,
        created_after=wanted.created_after,
        created_before=wanted.created_before,
        task_id=wanted.task_id,
    )


def _document(wanted: LetterFilter | None) -> dict[str, JsonValue] | None:
    return None if wanted is None else wanted.model_dump(mode="json", exclude_defaults=True)


def _of_one(request: BulkRequest) -> dict[str, JsonValue]:
    if not isinstance(request, BulkRequeueRequest):
        return {}
    return request.of_one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
