"""Why something is not done to a schedule."""

from api.errors import RequestRefused


class ScheduleNameTaken(RequestRefused):
    """There is a schedule {name!r} already. Choose another name, or change or delete that one."""

    status = 409


class TooManySchedules(RequestRefused):
    """Your team has {most} schedules, which is the limit (AGENTOS_MAX_SCHEDULES). Delete one
    that is not needed."""

    status = 409


class ScheduleStillRuns(RequestRefused):
    """Schedule {name!r} does not run now: its last run goes on, and runs that overlap are left out.
    Wait for it, cancel its task, or change `overlap` of the schedule."""

    status = 409


class TooManyRunsAsked(RequestRefused):
    """Schedule {name!r} was asked to run several times in these seconds. Ask again in a moment."""

    status = 429


class ScheduleNotSynced(RequestRefused):
    """Schedule {name!r} cannot run now: Temporal does not know its latest change yet. Try again in
    a few seconds."""

    status = 409
