"""The tool ``recall``."""

from typing import Annotated

from pydantic import Field

from activities.patience import patiently
from activities.store import notes
from activities.store.notes import Note
from activities.tools.context import AgentContext, ToolResult
from activities.tools.registry import tool
from workflows.definitions.note import MAX_QUERY_CHARACTERS

MAX_RECALLED = 50
# Of all that is shown at once: it would be cut in the middle otherwise.
_MOST_CHARACTERS = 12_000


@tool(is_retry_safe=True, is_for_residents=True, reads="data", shows_notes=True)
async def recall(
    context: AgentContext,
    query: Annotated[str, Field(max_length=MAX_QUERY_CHARACTERS)] = "",
    limit: Annotated[int, Field(ge=1, le=MAX_RECALLED, description="notes")] = 10,
) -> ToolResult:
    """Search your notes by their words: those that have most of them come first.

    Without a query, the latest. The beginning of a word will do.
    """
    agent_id, database = context.caller.agent_id, context.equipment.database
    found = await patiently(lambda: notes.recall(database, agent_id, query, limit))
    if not found:
        has_any = await patiently(lambda: notes.count_notes(database, agent_id))
        return ToolResult("No note has these words." if has_any else "You have no notes yet.")
    shown = _shown([_line(note) for note in found])
    if len(shown) < len(found):
        shown.append(f"{len(found) - len(shown)} more have these words: ask for fewer words.")
    return ToolResult("\n\n".join(shown), is_kept=True)


def _line(note: Note) -> str:
    return f"{note.id} of {note.created_at:%Y-%m-%d %H:%M} UTC: {note.text}"


def _shown(lines: list[str]) -> list[str]:
    characters = 0
    for place, line in enumerate(lines):
        characters += len(line)
        if place and characters > _MOST_CHARACTERS:
            return lines[:place]
    return lines
