"""Why a reminder was not set, or not cancelled."""

from workflows.errors import BadInput


class ReminderRefused(BadInput):
    """The reminder was not set: {reason}."""


class TooManyReminders(BadInput):
    """The agent has {most} reminders that are still to come, which is the limit. Cancel one that is
    not needed (`list_reminders` and `cancel_reminder`, or `agentos agents reminders NAME`)."""


class ReminderNotFound(BadInput):
    """There is no reminder {reminder!r} that is still to come. There are: {known}."""


class RemindedAgentGone(BadInput):
    """Agent {id} has no reminders: it is terminated, or was deleted."""
