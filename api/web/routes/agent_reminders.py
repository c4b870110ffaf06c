"""What an agent is to be reminded of."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes.agent_reminders import list_reminders
from api.http.routes.agents import ONE
from api.residents import reminders
from api.web.forms import key_of, text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.routes.agent_chat import Found
from api.wire.responses.pages import Page
from api.wire.responses.reminders import Reminder
from workflows.definitions.reminder import ReminderRequest

router = pages(prefix="/agents")

_FIELDS = ("at", "after", "every", "until")
# `2026-12-01T07:00`, as the field of a browser has it: the page says that it is UTC.
_WITHOUT_OFFSET = len("2026-12-01T07:00:00")


@router.get(f"{ONE}/reminders")
async def reminders_page(
    request: Request,
    agent: Found,
    items: Annotated[Page[Reminder], Depends(list_reminders)],
) -> Response:
    """Those that are still to come."""
    return render(
        request,
        "agents/reminders.html",
        agent=agent,
        tab="reminders",
        reminders=items,
        first=first_page(request),
        next=next_page(request, items),
        key=uuid4().hex,
    )


@router.post(f"{ONE}/reminders")
async def remind(
    request: Request, agent_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Set one."""
    form = await fields_of(request)
    given = {name: text for name in _FIELDS if (text := text_of(form, name).strip())}
    for name in ("at", "until"):
        if name in given and len(given[name]) <= _WITHOUT_OFFSET:
            given[name] += "Z"
    wanted = checked(ReminderRequest, {"text": text_of(form, "text").strip(), **given})
    await reminders.create(services, actor, agent_id, wanted, key_of(form))
    return see_other(f"/agents/{agent_id}/reminders")


@router.post(f"{ONE}/reminders/{{reminder_id:uuid}}/cancel")
async def cancel(
    agent_id: UUID, reminder_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Have it come no more."""
    await reminders.cancel(services, actor, agent_id, reminder_id)
    return see_other(f"/agents/{agent_id}/reminders")
