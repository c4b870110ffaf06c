"""What an agent remembers: its notes, and summaries of what was said."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes.agent_memory import notes as list_notes
from api.http.routes.agent_memory import summaries as list_summaries
from api.http.routes.agents import ONE
from api.residents import memory
from api.web.forms import key_of, text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.routes.agent_chat import Found
from api.wire.memory_requests import NoteRequest
from api.wire.responses.agent_memory import Note
from api.wire.responses.pages import Page

router = pages(prefix="/agents")

_SHOWN_SUMMARIES = 5


@router.get(f"{ONE}/memory")
async def memory_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    agent: Found,
    notes: Annotated[Page[Note], Depends(list_notes)],
) -> Response:
    """Notes, found by their words, and the last summaries."""
    summaries = await list_summaries(agent.id, services, team_id, limit=_SHOWN_SUMMARIES)
    return render(
        request,
        "agents/memory.html",
        agent=agent,
        tab="memory",
        notes=notes,
        text=request.query_params.get("text", ""),
        first=first_page(request),
        next=next_page(request, notes),
        summaries=summaries.items,
        key=uuid4().hex,
    )


@router.post(f"{ONE}/notes")
async def write(
    request: Request, agent_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Have it remember something."""
    form = await fields_of(request)
    wanted = checked(NoteRequest, {"text": text_of(form, "text")})
    await memory.keep_note(services, actor, agent_id, wanted.text, key_of(form))
    return see_other(f"/agents/{agent_id}/memory")


@router.post(f"{ONE}/notes/{{note_id:uuid}}/delete")
async def forget(
    request: Request, agent_id: UUID, note_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Delete a note."""
    await memory.delete_note(services, actor, agent_id, note_id)
    return see_other(f"/agents/{agent_id}/memory")
