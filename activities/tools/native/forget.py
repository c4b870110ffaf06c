"""The tool ``forget``."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from activities.patience import patiently
from activities.store import notes
from activities.tools.context import AgentContext
from activities.tools.registry import tool


@tool(is_retry_safe=True, is_for_residents=True)
async def forget(
    context: AgentContext,
    id: Annotated[UUID, Field(description="of the note")],  # noqa: A002
) -> str:
    """Delete one of your notes: it is wrong, or not needed any more."""
    agent_id, database = context.caller.agent_id, context.equipment.database
    was_there = await patiently(lambda: notes.forget(database, agent_id, context.team_id, id))
    return "Forgotten." if was_there else f"There is no note {id}, or not any more."
