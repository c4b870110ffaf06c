"""The tool ``remember``."""

from typing import Annotated
from uuid import uuid5

from pydantic import Field

from activities.patience import patiently
from activities.residents.note_errors import NotesFull
from activities.store import notes
from activities.store.notes import NotKept
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.note import MAX_NOTE_CHARACTERS, MAX_NOTES
from workflows.errors.tasks import TaskMoved


@tool(is_retry_safe=True, is_for_residents=True)
async def remember(
    context: AgentContext,
    text: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARACTERS, pattern=r"\S")],
) -> str:
    """Keep a note for later conversations: a fact, a wish, a decision, what was agreed.

    One fact a note, in words that it can be found by, and with its date where that matters. Earlier
    conversation is forgotten in time; notes are not.
    """
    agent_id, note_id = context.caller.agent_id, uuid5(context.call_id, "note")
    database, team_id = context.equipment.database, context.team_id
    kept = await patiently(lambda: notes.keep(database, agent_id, team_id, note_id, text.strip()))
    if kept is NotKept.FULL:
        raise NotesFull(most=MAX_NOTES)
    if isinstance(kept, NotKept):  # It was terminated, or deleted, meanwhile.
        raise TaskMoved(task_id=context.task_id)
    return f"Noted, with id {kept.id}."
