"""The tool ``cancel_reminder``."""

from typing import Annotated

from pydantic import Field

from activities.reminders.errors import ReminderNotFound
from activities.store.audit import Actor
from activities.store.reading.reminders import list_reminders
from activities.store.reminders import cancel_reminder as cancel
from activities.tools.context import AgentContext
from activities.tools.registry import tool

MAX_REMINDERS = 100
_ID_CHARACTERS = 8


@tool(is_retry_safe=True, is_for_residents=True)
async def cancel_reminder(
    context: AgentContext,
    reminder: Annotated[
        str, Field(min_length=_ID_CHARACTERS, max_length=36, description="its id, or how it begins")
    ],
) -> str:
    """Cancel one of your reminders."""
    database, caller = context.equipment.database, context.caller
    found, _ = await list_reminders(database, context.team_id, caller.agent_id, None, MAX_REMINDERS)
    meant = [each for each in found if str(each.id).startswith(reminder.strip().lower())]
    if len(meant) != 1:
        known = ", ".join(str(each.id)[:_ID_CHARACTERS] for each in found) or "none"
        raise ReminderNotFound(reminder=reminder, known=known)
    actor = Actor(context.team_id, f"agent {caller.name}")
    await cancel(database, actor, caller.agent_id, meant[0].id)
    return f"The reminder is cancelled: {meant[0].content}"
