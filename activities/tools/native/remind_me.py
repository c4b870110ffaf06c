"""The tool ``remind_me``."""

from typing import Annotated
from uuid import uuid5

from pydantic import Field, ValidationError

from activities.reminders.errors import ReminderRefused
from activities.reminders.setting import set_reminder
from activities.reminders.views import told
from activities.store.audit import Actor
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.reminder import (
    ReminderAfter,
    ReminderEvery,
    ReminderRequest,
    ReminderText,
    ReminderTime,
)
from workflows.validation_messages import message_of


@tool(is_retry_safe=True, is_for_residents=True)
async def remind_me(
    context: AgentContext,
    *,
    text: Annotated[ReminderText, Field(description="what to tell you then")],
    at: Annotated[
        ReminderTime | None, Field(description="with its offset: 2026-11-29T12:00:00+01:00")
    ] = None,
    after: Annotated[ReminderAfter | None, Field(description="90s, 5m, 1h, 2d")] = None,
    every: Annotated[ReminderEvery | None, Field(description="90s, 5m, 1h, 2d")] = None,
    until: Annotated[
        ReminderTime | None, Field(description="when what comes every so often ends")
    ] = None,
) -> str:
    """Have yourself reminded of something: at a time, after a while, or every so often.

    The reminder comes as a notice, and you act on it then. You need not stay awake for it.
    """
    try:
        wanted = ReminderRequest(text=text, at=at, after=after, every=every, until=until)
    except ValidationError as error:
        words = "; ".join(message_of(each) for each in error.errors(include_url=False))
        raise ReminderRefused(reason=words) from error
    caller, equipment = context.caller, context.equipment
    reminder = await set_reminder(
        equipment.database,
        Actor(context.team_id, f"agent {caller.name}"),
        caller.agent_id,
        wanted,
        reminder_id=uuid5(context.call_id, "reminder"),
        limits=equipment.reminders,
        hops=caller.hops,
    )
    assert reminder is not None  # Nobody else derives an id of this call.
    return f"The reminder is set. {told(reminder)}"
