"""The tool ``list_reminders``."""

from activities.reminders.views import told
from activities.store.reading.reminders import list_reminders as stored_reminders
from activities.tools.context import AgentContext
from activities.tools.registry import tool

MAX_REMINDERS = 100


@tool(is_retry_safe=True, is_for_residents=True, reads="data")
async def list_reminders(context: AgentContext) -> str:
    """List your reminders that are still to come, with their ids."""
    database, caller = context.equipment.database, context.caller
    found, _ = await stored_reminders(
        database, context.team_id, caller.agent_id, None, MAX_REMINDERS
    )
    return "\n".join(f"- {told(each)}" for each in found) or "You have no reminders."
