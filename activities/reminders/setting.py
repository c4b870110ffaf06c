"""Setting a reminder: judged by the same rules, whoever asks for it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from activities.reminders.errors import RemindedAgentGone, ReminderRefused, TooManyReminders
from activities.reminders.options import ReminderLimits
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.reading.reminders import StoredReminder
from activities.store.reminders import NewReminder, NotMade, create_reminder
from workflows.definitions.durations import duration_text
from workflows.definitions.reminder import MAX_AHEAD, ReminderRequest


async def set_reminder(
    database: Database,
    actor: Actor,
    agent_id: UUID,
    wanted: ReminderRequest,
    *,
    reminder_id: UUID,
    limits: ReminderLimits,
    hops: int | None = None,
) -> StoredReminder | None:
    """The reminder; what is asked for twice under one id is set once. None when the id is that of
    another one. ``hops`` are those of the exchange in which an agent sets it; None where a person
    does, who may want to be heard at once.

    Raises:
        ReminderRefused, TooManyReminders, RemindedAgentGone
    """
    now = datetime.now(UTC)
    _check(wanted, limits, now)
    if hops is not None:
        _check_first(wanted, limits, now)
    new = NewReminder(
        id=reminder_id,
        agent_id=agent_id,
        content=wanted.text,
        at=wanted.at,
        after_seconds=_first_seconds(wanted),
        every_seconds=None if wanted.every is None else wanted.every.total_seconds(),
        until_at=wanted.until,
        hops=hops or 0,
    )
    made = await create_reminder(database, actor, new, most=limits.most)
    if made is NotMade.TOO_MANY:
        raise TooManyReminders(most=limits.most)
    if made is NotMade.GONE:
        raise RemindedAgentGone(id=agent_id)
    return made if isinstance(made, StoredReminder) else None


def _first_seconds(wanted: ReminderRequest) -> float | None:
    after = wanted.after or wanted.every
    return None if wanted.at is not None or after is None else after.total_seconds()


def _check_first(wanted: ReminderRequest, limits: ReminderLimits, now: datetime) -> None:
    """An agent that sets one in each turn would never rest. Raises ``ReminderRefused``."""
    first = wanted.at or now + timedelta(seconds=_first_seconds(wanted) or 0)
    if first < now + timedelta(seconds=limits.least_seconds):
        least = duration_text(timedelta(seconds=limits.least_seconds))
        raise ReminderRefused(
            reason=f"it would come sooner than is allowed here, which is after {least} "
            "(AGENTOS_REMINDER_LEAST_SECONDS)"
        )


def _check(wanted: ReminderRequest, limits: ReminderLimits, now: datetime) -> None:
    """Raises ``ReminderRefused``."""
    if wanted.every is not None and wanted.every.total_seconds() < limits.least_seconds:
        least = duration_text(timedelta(seconds=limits.least_seconds))
        raise ReminderRefused(
            reason=f"every {duration_text(wanted.every)} is more often than is allowed here, which "
            f"is every {least} (AGENTOS_REMINDER_LEAST_SECONDS)"
        )
    first = wanted.at or now + timedelta(seconds=_first_seconds(wanted) or 0)
    if wanted.at is not None and wanted.at <= now:
        raise ReminderRefused(
            reason=f"{wanted.at.isoformat()} is past; it is {now.isoformat(timespec='seconds')}"
        )
    if first - now > MAX_AHEAD:
        raise ReminderRefused(reason=f"it would come in more than {MAX_AHEAD.days} days")
    if wanted.until is not None and wanted.until < first:
        raise ReminderRefused(
            reason=f"it would end at {wanted.until.isoformat()}, before it comes first"
        )
