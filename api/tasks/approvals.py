"""A person's decision on a call of an agent: stored first, then signalled to its workflow."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog

from activities.store import approvals
from activities.store.approvals import AskedCall
from activities.store.reading.tasks import StoredTask
from api.errors import ApprovalConflict, InvalidRequest, NotFound
from api.services import Services
from api.tasks.control import tell
from api.tasks.lookup import check_task, load_task
from api.wire.requests import ApprovalRequest
from api.wire.responses.pages import MAX_PAGE
from workflows.contracts import Decision, Verdict
from workflows.errors import TemporaryFailure
from workflows.pointers import Problem

_VERDICTS = {"approve": Verdict.APPROVED, "deny": Verdict.DENIED}

log = structlog.get_logger(__name__)


async def waiting_calls(services: Services, team_id: UUID, task_id: UUID) -> Sequence[AskedCall]:
    """The calls of a task that wait for somebody. Raises ``NotFound``."""
    await check_task(services.database, team_id, task_id)
    return await approvals.asked_calls(services.database, task_id, MAX_PAGE, waiting=True)


async def decide(
    services: Services, team_id: UUID, task_id: UUID, call_id: str, request: ApprovalRequest
) -> AskedCall:
    """Decide on a call, given by the id or the name of its sub-task; a repeat changes nothing.

    Raises:
        NotFound
        ApprovalConflict: it was decided otherwise, or does not wait.
        InvalidRequest: a question without an answer.
    """
    task = await load_task(services.database, team_id, task_id)
    call = await _find(services, task, call_id)
    needs_note = call.approval.kind == "answer" and request.decision == "approve"
    if needs_note and not (request.note or "").strip():
        raise InvalidRequest([Problem("/note", "the agent asks a question; write the answer here")])
    if call.approval.decision is None:
        await approvals.decide(services.database, call, request.decision, request.note)
        call = await _find(services, task, call_id)
    _check_decided(call, request)
    if call.is_waiting:
        try:
            await deliver(services, task, call)
        except TemporaryFailure as failure:
            # The row is written: the sweeper tells the workflow.
            log.warning("approval.delayed", task_id=str(task_id), reason=str(failure))
    return call


async def deliver(services: Services, task: StoredTask, call: AskedCall) -> bool:
    """Tell the workflow of a decision; a repeat changes nothing. False when it does not run.

    Raises:
        TemporaryFailure: Temporal cannot be reached.
    """
    verdict = _VERDICTS[call.approval.decision or "deny"]
    decision = Decision(ask_id=call.approval.id, verdict=verdict)
    return await tell(services, task, partial(services.temporal.decide, decision=decision))


async def _find(services: Services, task: StoredTask, call_id: str) -> AskedCall:
    call = await approvals.find_asked(services.database, task.id, call_id)
    if call is None:
        raise NotFound(kind="approval of this task named", id=repr(call_id[:100]))
    return call


def _check_decided(call: AskedCall, request: ApprovalRequest) -> None:
    """Raises ``ApprovalConflict`` unless what was asked for is what is written down."""
    was = call.approval
    if was.decision is None:
        state = "nobody decided in time" if call.is_waiting else f"it is {call.status}"
        raise ApprovalConflict(name=call.name, reason=f"it is not waiting for a decision: {state}")
    if was.decision != request.decision:
        reason = "it was already approved" if was.decision == "approve" else "it was already denied"
        raise ApprovalConflict(name=call.name, reason=reason)
    if request.note and request.note != was.note:
        raise ApprovalConflict(name=call.name, reason="it was already decided with another note")
