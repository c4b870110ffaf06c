"""Why a run of a schedule made no task that could begin."""

from workflows.errors import BadInput


class ScheduledTaskRefused(BadInput):
    """Schedule {schedule!r} asks for a task that cannot be any more: {reason} Put back what is
    missing and retry this task, or change the schedule for the runs to come, with
    `agentos schedules edit {id}`."""
