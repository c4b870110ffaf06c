"""Reminders of agents that stay, as people set and see them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from activities.reminders.errors import RemindedAgentGone
from activities.reminders.errors import TooManyReminders as MayHaveNoMore
from activities.reminders.setting import set_reminder
from activities.store.audit import Actor
from activities.store.reading.cursor import Cursor
from activities.store.reading.reminders import StoredReminder, list_reminders
from activities.store.reminders import cancel_reminder
from api.errors import IdempotencyConflict, NotFound
from api.residents.errors import AgentConflict, TooManyReminders
from api.residents.lookup import load_agent
from api.services import Services
from api.wire.responses.reminders import Reminder
from workflows.definitions.durations import shown_duration
from workflows.definitions.reminder import ReminderRequest
from workflows.resident_states import AgentAct, why_not
from workflows.states import AgentState


async def create(
    services: Services, actor: Actor, agent_id: UUID, wanted: ReminderRequest, key: str | None
) -> StoredReminder:
    """Set a reminder; a repeat with the same key changes nothing.

    Raises:
        NotFound, AgentConflict, TooManyReminders, IdempotencyConflict
        ReminderRefused: it cannot come when it is asked for.
    """
    agent = await load_agent(services, actor.team_id, agent_id)
    reminder_id = uuid4() if key is None else uuid5(agent_id, f"reminder:{key}")
    limits = services.options.reminders
    try:
        made = await set_reminder(
            services.database, actor, agent_id, wanted, reminder_id=reminder_id, limits=limits
        )
    except MayHaveNoMore as error:
        raise TooManyReminders(name=agent.name, most=limits.most) from error
    except RemindedAgentGone as error:
        reason = why_not(AgentAct.MESSAGE, AgentState.TERMINATED)
        raise AgentConflict(name=agent.name, done="reminded", reason=reason) from error
    if made is None:
        raise IdempotencyConflict(key=key)
    return made


async def cancel(services: Services, actor: Actor, agent_id: UUID, reminder_id: UUID) -> None:
    """Raises ``NotFound``, also for one that comes no more."""
    await load_agent(services, actor.team_id, agent_id)
    if not await cancel_reminder(services.database, actor, agent_id, reminder_id):
        raise NotFound(kind="reminder", id=reminder_id)


async def page(
    services: Services, team_id: UUID, agent_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredReminder], Cursor | None]:
    """Those that are still to come, the oldest first. Raises ``NotFound``."""
    await load_agent(services, team_id, agent_id, fresh=False)
    return await list_reminders(services.database, team_id, agent_id, cursor, limit)


def show(reminder: StoredReminder) -> Reminder:
    every = reminder.every_seconds
    return Reminder(
        id=reminder.id,
        agent_id=reminder.agent_id,
        text=reminder.content,
        next_at=reminder.next_at,
        every=None if every is None else shown_duration(timedelta(seconds=every)),
        until=reminder.until_at,
        number=reminder.number,
        created_at=reminder.created_at,
    )
