"""Calls of agents that need approval, and their questions."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from api.errors import ApprovalConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, parse_number
from api.http.routing import Routes
from api.tasks import approvals
from api.tasks.views import asked_call
from api.wire.requests import ApprovalRequest, Text
from api.wire.responses.approvals import AskedCall
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/tasks/{task_id}/approvals", tags=["approvals"])


@router.get("", operation_id="listTaskApprovals")
async def list_waiting(
    task_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[AskedCall]:
    """List the calls waiting for a person, with their arguments, oldest first."""
    calls, last = await approvals.waiting_calls(
        services, team_id, task_id, after=parse_number(cursor), limit=limit
    )
    following = None if last is None else str(last)
    return Page(items=[asked_call(call) for call in calls], next_cursor=following)


CallId = Annotated[
    Text, Path(max_length=300, description="its id, its name or number, or its ask_id")
]


@router.post(
    "/{call_id}",
    status_code=202,
    responses=refusals(ApprovalConflict),
    operation_id="decideApproval",
)
async def decide(
    task_id: UUID,
    call_id: CallId,
    request: Annotated[ApprovalRequest, Depends(Body(ApprovalRequest))],
    services: ServicesDep,
    actor: ActorDep,
) -> AskedCall:
    """Approve or deny a call, or answer its question. Repeating the request changes nothing.

    What was meant for an earlier question of the call, by its ``ask_id``, is refused.
    """
    return asked_call(await approvals.decide(services, actor, task_id, call_id, request))
