"""What people do about a dead letter: requeue its task, or discard it."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from activities.store.audit import Actor, Deed
from activities.store.dead_letters import discard_letter
from activities.store.reading.dead_letters import StoredLetter, find_letter
from activities.store.restarts import Reason
from activities.store.webhook_letters import webhook_of
from activities.store.webhooks import change_webhook
from api.dead_letters.errors import LetterConflict
from api.dead_letters.foresight import Foresight, foresee
from api.errors import InvalidRequest, NotFound, StateConflict
from api.services import Services
from api.tasks.lookup import load_task
from api.tasks.retry import prepare_retry, run_again
from api.wire.requests import RequeueRequest
from api.wire.responses.tasks import Changed
from workflows.pointers import Problem, pointer
from workflows.states import LetterState

_NO_TASK = "the dead letter is that of a webhook, with which no task runs again; leave it out"


async def load_letter(services: Services, team_id: UUID, letter_id: UUID) -> StoredLetter:
    """A dead letter, whatever was done about it. Raises ``NotFound``."""
    letter = await find_letter(services.database, team_id, letter_id)
    if letter is None:
        raise NotFound(kind="dead letter", id=letter_id)
    return letter


async def requeue(
    services: Services,
    actor: Actor,
    letter_id: UUID,
    request: RequeueRequest,
    *,
    bulk_id: UUID | None = None,
) -> Changed:
    """Run the task of a letter again, or switch on again the webhook of one. The same request again
    changes nothing, and gets the same answer; that of a bulk run is another than a person's.

    Raises:
        NotFound
        LetterConflict: something else was done about the letter.
        StateConflict, InvalidRequest: as a retry of the task.
    """
    letter = await load_letter(services, actor.team_id, letter_id)
    digest = digest_of(request, bulk_id)
    if letter.state is not LetterState.OPEN:
        return await _requeued(services, letter, digest)
    if (webhook_id := webhook_of(letter.part)) is not None:
        _check_of_webhook(request)
        return await _enabled(services, actor, letter, webhook_id, note=request.note, digest=digest)
    try:
        prepared = await prepare_retry(services, actor.team_id, letter.task_id, request)
        details: Mapping[str, JsonValue] = {
            "task_id": str(letter.task_id),
            "run": prepared.task.run + 1,
            "from": request.begin,
            "fingerprint": letter.fingerprint,
            **in_bulk(bulk_id),
        }
        deed = Deed("dead_letter.requeued", str(letter.id), request.note, details)
        status = await run_again(services, prepared, Reason(actor, deed, digest, letter.id))
    except StateConflict:
        # Perhaps the same request was faster, which made the letter one that is not open any more.
        letter = await load_letter(services, actor.team_id, letter_id)
        if letter.state is LetterState.OPEN:
            raise
        return await _requeued(services, letter, digest)
    return Changed(task_id=letter.task_id, status=status)


async def foresee_requeue(
    services: Services, team_id: UUID, letter_id: UUID, request: RequeueRequest
) -> Foresight:
    """What a requeue would do. Raises as ``requeue``."""
    letter = await load_letter(services, team_id, letter_id)
    if letter.state is not LetterState.OPEN:
        raise LetterConflict(id=letter.id, action="requeued", reason=_why_not_open(letter))
    if webhook_of(letter.part) is not None:
        _check_of_webhook(request)
        return Foresight()  # No task runs again.
    return await foresee(services, team_id, letter.task_id, request)


async def discard(
    services: Services, actor: Actor, letter_id: UUID, note: str, *, bulk_id: UUID | None = None
) -> StoredLetter:
    """Say that nothing will be done about a letter; it is still found by its id.

    Raises:
        NotFound
        LetterConflict: its task was run again.
    """
    letter = await load_letter(services, actor.team_id, letter_id)
    await discard_letter(services.database, actor, letter.id, note, in_bulk(bulk_id))
    letter = await load_letter(services, actor.team_id, letter_id)
    if letter.state is not LetterState.DISCARDED:
        raise LetterConflict(id=letter.id, action="discarded", reason=_why_not_open(letter))
    return letter


def digest_of(request: RequeueRequest, bulk_id: UUID | None = None) -> str:
    """The same for requests that mean the same, whoever sends them and why."""
    unmeant = {"note", "dry_run"}
    if not request.parameters:  # Older versions, whose digests are compared, have had none.
        unmeant.add("parameters")
    meant = request.model_dump_json(by_alias=True, exclude=unmeant)
    return hashlib.sha256(f"{meant}{bulk_id or ''}".encode()).hexdigest()


def in_bulk(bulk_id: UUID | None) -> Mapping[str, JsonValue]:
    """What the deed says of the bulk run that it belongs to."""
    return {} if bulk_id is None else {"bulk_id": str(bulk_id)}


async def _requeued(services: Services, letter: StoredLetter, digest: str) -> Changed:
    if letter.state is not LetterState.REQUEUED or letter.request_digest != digest:
        raise LetterConflict(id=letter.id, action="requeued", reason=_why_not_open(letter))
    task = await load_task(services.database, letter.team_id, letter.task_id)
    return Changed(task_id=task.id, status=task.status)


async def _enabled(
    services: Services,
    actor: Actor,
    letter: StoredLetter,
    webhook_id: UUID,
    *,
    note: str,
    digest: str,
) -> Changed:
    """The letter of a webhook that was switched off: it is on again, and no task runs for it."""
    changed = await change_webhook(
        services.database,
        actor,
        webhook_id,
        is_active=True,
        note=note,
        digest=digest,
    )
    if changed is None:
        raise NotFound(kind="webhook", id=webhook_id)
    task = await load_task(services.database, letter.team_id, letter.task_id)
    return Changed(task_id=task.id, status=task.status)


def _check_of_webhook(request: RequeueRequest) -> None:
    """Raises ``InvalidRequest`` where a request says how a task is to run."""
    said = request.model_dump(by_alias=True, exclude={"note", "dry_run"}, exclude_defaults=True)
    if said:
        raise InvalidRequest([Problem(pointer((name,)), _NO_TASK) for name in said])


def _why_not_open(letter: StoredLetter) -> str:
    at = "" if letter.ended_at is None else f" at {letter.ended_at:%Y-%m-%d %H:%M:%S %Z}"
    by = f" by {letter.ended_by}" if letter.ended_by else ""
    why = f" ({letter.note})" if letter.note else ""
    done = "it was discarded" if letter.state is LetterState.DISCARDED else "its task was run again"
    again = f"; `agentos retry {letter.task_id}` runs the task again"
    return f"{done}{by}{at}{why}{again}"
