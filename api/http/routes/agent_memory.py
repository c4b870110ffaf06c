"""What agents that stay remember: their notes, and summaries of what was said."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from activities.store.notes import Note as StoredNote
from activities.store.notes import list_notes
from activities.store.summaries import list_summaries
from api.errors import IdempotencyConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor, parse_number
from api.http.routes.agents import ONE
from api.http.routing import Routes
from api.residents import memory
from api.residents.lookup import load_agent
from api.residents.memory_errors import NoteRefused
from api.wire.memory_requests import NoteRequest
from api.wire.requests import Text
from api.wire.responses.agent_memory import Note, Summary
from api.wire.responses.pages import DEFAULT_PAGE, Page
from workflows.definitions.note import MAX_QUERY_CHARACTERS

router = Routes(prefix="/agents", tags=["agents"])

_NOTES = f"{ONE}/notes"
_Words = Annotated[
    Text | None, Query(max_length=MAX_QUERY_CHARACTERS, description="words, or their beginnings")
]


@router.get(_NOTES, operation_id="listNotes")
async def notes(  # noqa: PLR0917  (what FastAPI gives)
    agent_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    text: _Words = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Note]:
    """List the notes of an agent that have all the words of ``text``, the newest first."""
    await load_agent(services, team_id, agent_id)
    items, following = await list_notes(
        services.database, agent_id, text, parse_cursor(cursor), limit
    )
    return Page(items=[_note(item) for item in items], next_cursor=cursor_text(following))


@router.post(_NOTES, status_code=201, responses=refusals(NoteRefused, IdempotencyConflict))
async def write_note(
    agent_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[NoteRequest, Depends(Body(NoteRequest))],
    idempotency_key: IdempotencyKey = None,
) -> Note:
    """Write a note for an agent, as if it had remembered that."""
    return _note(await memory.keep_note(services, actor, agent_id, wanted.text, idempotency_key))


@router.delete(f"{_NOTES}/{{note_id:uuid}}", status_code=204)
async def delete_note(
    agent_id: UUID, note_id: UUID, services: ServicesDep, actor: ActorDep
) -> None:
    """Delete a note of an agent."""
    await memory.delete_note(services, actor, agent_id, note_id)


@router.get(f"{ONE}/summaries", operation_id="listSummaries")
async def summaries(
    agent_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Summary]:
    """List the summaries of what was said to an agent and by it, the newest first. The first one
    is what it is shown in place of all turns that it sums up."""
    await load_agent(services, team_id, agent_id)
    items, following = await list_summaries(
        services.database, agent_id, parse_number(cursor), limit
    )
    shown = [Summary(**asdict(item)) for item in items]
    return Page(items=shown, next_cursor=None if following is None else str(following))


def _note(found: StoredNote) -> Note:
    return Note(id=found.id, text=found.text, created_at=found.created_at)
