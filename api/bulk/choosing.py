"""Which letters or tasks a bulk run is about. That is settled when it starts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.store.reading.cursor import Cursor
from activities.store.reading.dead_letters import DeadLetterFilter, list_letter_ids
from activities.store.reading.task_ids import existing_tasks, list_task_ids
from activities.store.reading.task_search import TaskFilter
from api.bulk.errors import TooManyLetters, TooManyTasks
from api.services import Services
from api.wire.bulk import MAX_LETTERS, BulkDiscardRequest, BulkRequeueRequest
from api.wire.bulk_tasks import MAX_TASKS, BulkTasksRequest

_PAGE = 1_000


async def choose_letters(
    services: Services, team_id: UUID, request: BulkRequeueRequest | BulkDiscardRequest
) -> Mapping[UUID, UUID | None]:
    """The ids of the letters that match, the oldest first, each with that of its task; None for
    those of webhooks, with which no task runs again. To be requeued, one of each task or webhook is
    enough: all of it goes on with that one. Raises ``TooManyLetters``."""
    wanted, found = _stored_filter(request), dict[UUID, tuple[UUID, UUID | None]]()
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


async def choose_tasks(
    services: Services, team_id: UUID, request: BulkTasksRequest
) -> Sequence[UUID]:
    """The ids of the tasks, the oldest first. Raises ``TooManyTasks``."""
    if request.ids:
        return await existing_tasks(services.database, team_id, request.ids)
    if not request.statuses:
        return ()
    chosen = request.filter
    wanted = TaskFilter(statuses=tuple(request.statuses), as_of=request.as_of)
    if chosen is not None:
        wanted = TaskFilter(
            statuses=tuple(request.statuses),
            types=chosen.type,
            text=chosen.text,
            created_after=chosen.created_after,
            created_before=chosen.created_before,
            parent_id=chosen.parent_id,
            schedule_id=chosen.schedule_id,
            is_retrying=chosen.retrying,
            name=chosen.name,
            as_of=request.as_of,
        )
    found = await list_task_ids(services.database, team_id, wanted, MAX_TASKS)
    if len(found) > MAX_TASKS:
        raise TooManyTasks(limit=f"{MAX_TASKS:,}")
    return found


def _stored_filter(request: BulkRequeueRequest | BulkDiscardRequest) -> DeadLetterFilter:
    wanted = request.filter
    if wanted is None:
        return DeadLetterFilter(as_of=request.as_of)
    return DeadLetterFilter(
        as_of=request.as_of,
        fingerprint=wanted.fingerprint,
        types=wanted.type,
        text=wanted.text,
        created_after=wanted.created_after,
        created_before=wanted.created_before,
        task_id=wanted.task_id,
    )
