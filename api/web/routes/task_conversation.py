"""What was said in a task: by people, the model, and the tools that it called."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from fastapi import Request, Response
from markupsafe import Markup

from activities.off_loop import off_loop
from activities.store.reading.events import find_beginning
from activities.store.reading.messages import last_message
from activities.store.told import Told, unread_messages
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes.task_history import messages
from api.tasks import telling
from api.web.conversation import conversation_of
from api.web.forms import key_of, text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.task_header import HeaderDep
from api.web.text.budget import Budget
from api.wire.requests import TellRequest
from api.wire.responses.base import API
from api.wire.responses.tasks import Task

router = pages(prefix="/tasks/{task_id:uuid}")

SHOWN = 100  # Messages of a page.


@router.get("/conversation")
async def conversation_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    task_id: UUID,
    header: HeaderDep,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
) -> Response:
    """Show the messages from the beginning; of a task that goes on, its latest."""
    last = await last_message(services.database, task_id)
    latest = str(max(last - SHOWN, 0))
    if header.live and cursor is None:
        cursor = latest
        # From when the answer began that is being said.
        began = await find_beginning(services.database, task_id)
        header = replace(header, live=header.live_from(began))
    found = await messages(task_id, services, team_id, cursor, SHOWN)
    return render(
        request,
        "task/conversation.html",
        header=header,
        said=await off_loop(conversation_of, found.items),
        messages_url=f"{API}/tasks/{task_id}/messages",
        has_earlier=cursor not in (None, "0"),
        next=found.next_cursor,
        latest=latest if found.next_cursor else None,
        who=_speaker(header.task),
        unread=await off_loop(_shown, await unread_messages(services.database, task_id)),
        key=uuid4().hex,
    )


@router.post("/messages")
async def tell(request: Request, task_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Tell the agent something while it is at work."""
    fields = await fields_of(request)
    wanted = checked(TellRequest, {"content": text_of(fields, "content")})
    await telling.tell(services, actor, task_id, wanted, key_of(fields))
    return see_other(f"/tasks/{task_id}/conversation")


def _shown(unread: Sequence[Told]) -> Sequence[tuple[Told, Markup]]:
    budget = Budget()
    return [(told, budget.markdown(told.content)) for told in unread]


def _speaker(task: Task) -> str:
    profile = (task.definition or {}).get("profile")
    name = profile.get("name") if isinstance(profile, dict) else None
    return name if isinstance(name, str) and name.strip() else "Agent"
