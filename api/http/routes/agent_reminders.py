"""Reminders of agents that stay."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from api.errors import IdempotencyConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routes.agents import ONE
from api.http.routing import Routes
from api.residents import reminders
from api.residents.errors import AgentConflict, TooManyReminders
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.reminders import Reminder
from workflows.definitions.reminder import ReminderRequest

router = Routes(prefix="/agents", tags=["agents"])

_REMINDERS = f"{ONE}/reminders"


@router.post(
    _REMINDERS,
    status_code=201,
    responses=refusals(AgentConflict, IdempotencyConflict, TooManyReminders),
)
async def create_reminder(
    agent_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[ReminderRequest, Depends(Body(ReminderRequest))],
    idempotency_key: IdempotencyKey = None,
) -> Reminder:
    """Have an agent reminded of something: at a time, after a while, or every so often."""
    made = await reminders.create(services, actor, agent_id, wanted, idempotency_key)
    return reminders.show(made)


@router.get(_REMINDERS)
async def list_reminders(
    agent_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Reminder]:
    """List the reminders of an agent that are still to come, oldest first."""
    items, following = await reminders.page(
        services, team_id, agent_id, parse_cursor(cursor), limit
    )
    return Page(items=[*map(reminders.show, items)], next_cursor=cursor_text(following))


@router.delete(f"{_REMINDERS}/{{reminder_id}}", status_code=204)
async def cancel_reminder(
    agent_id: UUID, reminder_id: UUID, services: ServicesDep, actor: ActorDep
) -> None:
    """Cancel a reminder that is still to come."""
    await reminders.cancel(services, actor, agent_id, reminder_id)
