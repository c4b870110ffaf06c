"""What people tell the agent of a task while it is at work."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from activities.store.told import unread_messages
from api.errors import IdempotencyConflict, NobodyListens, ToldTooMuch
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.routing import Routes
from api.tasks import history, telling
from api.tasks.lookup import check_task
from api.wire.requests import TellRequest
from api.wire.responses.history import ToldMessage
from api.wire.responses.pages import Page

router = Routes(prefix="/tasks/{task_id}/messages", tags=["history"])


@router.post(
    "",
    status_code=202,
    responses=refusals(IdempotencyConflict, NobodyListens, ToldTooMuch),
    operation_id="tellTask",
)
async def tell(
    task_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[TellRequest, Depends(Body(TellRequest))],
    idempotency_key: IdempotencyKey = None,
) -> ToldMessage:
    """Tell the agent of a task something while it is at work. Its model reads it before its next
    turn; one that finishes the task meanwhile gets another turn, if its limits allow it one."""
    return history.told(await telling.tell(services, actor, task_id, wanted, idempotency_key))


@router.get("/unread", operation_id="listUnreadTaskMessages")
async def unread(task_id: UUID, services: ServicesDep, team_id: TeamDep) -> Page[ToldMessage]:
    """List what the agent of a task was told and has not read yet, the oldest first."""
    await check_task(services.database, team_id, task_id)
    items = await unread_messages(services.database, task_id)
    return Page(items=list(map(history.told, items)), next_cursor=None)
