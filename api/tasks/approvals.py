"""A person's decision on a call of an agent: stored first, then signalled to its workflow."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import structlog

from activities.agents.elicitations import question_of
from activities.store import approvals
from activities.store.approvals import Approval, AskedCall
from activities.store.audit import Actor
from activities.store.reading.tasks import StoredTask
from api.errors import ApprovalConflict, InvalidRequest, NotFound
from api.services import Services
from api.tasks.control import tell
from api.tasks.edited_arguments import (
    check_arguments,
    edited_arguments,
    has_other_arguments,
    with_arguments,
)
from api.tasks.edited_plans import check_edited, edited_nodes, has_other_nodes, with_nodes
from api.tasks.lookup import check_task, load_task
from api.wire.requests import ApprovalRequest
from workflows.agent_contracts import Decision, Verdict
from workflows.errors import TemporaryFailure
from workflows.pointers import Problem
from workflows.states import TaskType

_VERDICTS = {"approve": Verdict.APPROVED, "deny": Verdict.DENIED}

_ASKS_ANOTHER = (
    "what you decide on is not what it asks now. `agentos approvals`, or GET .../approvals, shows "
    "what that is"
)
_SAY_WHICH = (
    "it has asked something before, so say what you answer by the ask_id that `agentos approvals`, "
    "or GET .../approvals, shows"
)

log = structlog.get_logger(__name__)


async def waiting_calls(
    services: Services, team_id: UUID, task_id: UUID, *, after: int, limit: int
) -> tuple[Sequence[AskedCall], int | None]:
    """The calls of a task that wait for somebody, from number ``after`` on, and the number of the
    last one if there are more. Raises ``NotFound``."""
    await check_task(services.database, team_id, task_id)
    found = await approvals.asked_calls(
        services.database, task_id, limit + 1, after=after, waiting=True
    )
    return found[:limit], found[limit - 1].seq if len(found) > limit else None


async def decide(
    services: Services, actor: Actor, task_id: UUID, call_id: str, request: ApprovalRequest
) -> AskedCall:
    """Decide on a call, given by the id or the name of its sub-task; a repeat changes nothing.

    Raises:
        NotFound
        ApprovalConflict: it was decided otherwise, does not wait, or asks something else now.
        InvalidRequest: a question without an answer, or with one that does not fit it; nodes that
            make no sound plan, or are for another call than one that makes a plan; arguments that
            the tool does not take.
    """
    task = await load_task(services.database, actor.team_id, task_id)
    call = await _find(services, task, call_id)
    _check_meant(call, request)
    if call.approval.decision is None:
        _check_answer(call.approval, request)
        await check_edited(services, task, call, request)
        check_arguments(services, call, request)
        call = await _written(services, actor, task, call, request)
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
    if task.type is TaskType.EXCHANGE and task.parent_id is not None:
        return await services.temporal.conversations.signal(task.parent_id, "decide", [decision])
    return await tell(services, task, partial(services.temporal.decide, decision=decision))


async def _written(
    services: Services,
    actor: Actor,
    task: StoredTask,
    call: AskedCall,
    request: ApprovalRequest,
) -> AskedCall:
    """The call with the decision, of whomever it is. Raises ``ApprovalConflict``."""
    nodes, arguments = edited_nodes(request), edited_arguments(call, request)
    if await approvals.decide(
        services.database,
        actor,
        call,
        request.decision,
        request.note,
        nodes=nodes,
        arguments=arguments,
    ):
        said = {"decision": request.decision, "note": request.note, "decided_at": datetime.now(UTC)}
        decided = replace(call, approval=call.approval.model_copy(update=said))
        decided = decided if nodes is None else with_nodes(decided, nodes)
        return decided if arguments is None else with_arguments(decided, arguments)
    found = await _find(services, task, str(call.id))
    # Somebody else may have been quicker, and the call may have asked again since.
    _check_meant(found, request.model_copy(update={"ask_id": call.approval.id}))
    return found


async def _find(services: Services, task: StoredTask, call_id: str) -> AskedCall:
    call = await approvals.find_asked(services.database, task.id, call_id)
    if call is None:
        raise NotFound(kind="approval of this task named", id=repr(call_id[:100]))
    return call


def _check_meant(call: AskedCall, request: ApprovalRequest) -> None:
    """Raises ``ApprovalConflict`` when the decision is, or could be, one on something earlier."""
    was = call.approval
    if request.ask_id is None and was.number > 1:
        raise ApprovalConflict(name=call.name, reason=_SAY_WHICH)
    if request.ask_id not in (None, was.id):
        raise ApprovalConflict(name=call.name, reason=_ASKS_ANOTHER)


def _check_answer(approval: Approval, request: ApprovalRequest) -> None:
    """Raises ``InvalidRequest`` unless the question can be answered so."""
    if approval.kind != "answer" or request.decision != "approve":
        return
    note = request.note or ""
    if approval.elicitation is not None:
        try:
            question_of(approval.elicitation).content(note)
        except ValueError as error:
            raise InvalidRequest([Problem("/note", str(error))]) from error
    elif not note.strip():
        raise InvalidRequest([Problem("/note", "the agent asks a question; write the answer here")])


def _check_decided(call: AskedCall, request: ApprovalRequest) -> None:
    """Raises ``ApprovalConflict`` unless what was asked for is what is written down."""
    was = call.approval
    if was.decision is None:
        state = "nobody decided in time" if call.is_waiting else f"it is {call.status}"
        raise ApprovalConflict(name=call.name, reason=f"it is not waiting for a decision: {state}")
    if was.decision != request.decision:
        reason = "it was already approved" if was.decision == "approve" else "it was already denied"
        raise ApprovalConflict(name=call.name, reason=reason)
    if has_other_nodes(call, request):
        raise ApprovalConflict(name=call.name, reason="it was already approved with other nodes")
    if has_other_arguments(call, request):
        reason = "it was already approved with other arguments"
        raise ApprovalConflict(name=call.name, reason=reason)
    if request.note and request.note != was.note:
        raise ApprovalConflict(name=call.name, reason="it was already decided with another note")
