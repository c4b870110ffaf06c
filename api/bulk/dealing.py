"""What a bulk run does about one letter or one task.

It is done first and written down then, so a process that dies in between has it done once more.
That changes nothing: a requeue is known by its bulk run (see ``letters.requeue``), and of a task
the run that it had when it was chosen is known.
"""

import structlog
from pydantic import ValidationError

from activities.store.bulk import ClaimedRun, Dealt, OpenItem
from api.dead_letters import letters
from api.dead_letters.errors import LetterConflict
from api.errors import InvalidRequest, NotFound, StateConflict
from api.services import Services
from api.tasks import control, deletion
from api.tasks.lookup import load_task
from api.tasks.retry import retry_task
from api.wire.requests import RequeueRequest, RetryRequest
from workflows.errors.services import DatabaseNewer
from workflows.states import BulkAction, ItemState

_REASON_CHARACTERS = 1_000
# Of a letter that is done with as soon as it is requeued, for no task runs that could be awaited.
_ENABLED = "webhook-enabled"

log = structlog.get_logger(__name__)


async def deal(services: Services, run: ClaimedRun, item: OpenItem) -> Dealt:
    """Raises ``TemporaryFailure`` when a service cannot be reached."""
    try:
        if item.letter_id is None:
            return await _deal_with_task(services, run, item)
        if run.action is BulkAction.DISCARD:
            await letters.discard(services, run.actor, item.letter_id, run.note, bulk_id=run.id)
            return Dealt(ItemState.DISCARDED)
        request = RequeueRequest.model_validate(run.request)
        await letters.requeue(services, run.actor, item.letter_id, request, bulk_id=run.id)
    except (NotFound, LetterConflict, StateConflict, InvalidRequest) as refused:
        return Dealt(ItemState.SKIPPED, refused.code, str(refused)[:_REASON_CHARACTERS])
    except (DatabaseNewer, ValidationError) as error:
        # Another version wrote it, and can read it. The letters behind it must not wait.
        log.error("bulk.unreadable", task_id=str(item.task_id), error=type(error).__name__)
        return Dealt(ItemState.SKIPPED, "unreadable", "This version cannot read the task.")
    if item.webhook_id is not None:
        return Dealt(ItemState.COMPLETED, _ENABLED, "The webhook was switched on again.")
    log.info("bulk.requeued", task_id=str(item.task_id), bulk_id=str(run.id))
    return Dealt(ItemState.REQUEUED)


async def _deal_with_task(services: Services, run: ClaimedRun, item: OpenItem) -> Dealt:
    task_id, note, details = item.task_id, run.note, letters.in_bulk(run.id)
    try:
        task = await load_task(services.database, run.actor.team_id, task_id)
    except NotFound:
        if run.action is BulkAction.DELETE:
            return Dealt(ItemState.DONE)
        raise
    if run.action is BulkAction.RETRY:
        # It may run again already, since a process died or a person was faster: once is enough.
        if task.run < item.run:
            request = RetryRequest.model_validate(run.request)
            await retry_task(services, run.actor, task_id, request, note=note, details=details)
        return Dealt(ItemState.REQUEUED)
    if task.run != item.run:
        reason = "somebody has retried it since it was chosen"
        raise StateConflict(id=task_id, action=_DONE[run.action], reason=reason)
    if run.action is BulkAction.CANCEL:
        await control.cancel(services, run.actor, task_id, note=note, details=details)
    else:
        await deletion.delete_task(services, run.actor, task_id, note=note, details=details)
    return Dealt(ItemState.DONE)


_DONE = {BulkAction.CANCEL: "cancelled", BulkAction.DELETE: "deleted"}
