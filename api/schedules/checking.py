"""What is wrong with a schedule that only this server can tell."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from activities.inputs.errors import InputsGone
from activities.kinds.errors import TaskRefused
from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.schedules.zones import zone_problem
from api.services import Services
from api.tasks.judging import judge
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest
from workflows.definitions import cron
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem

_NO_ZONE = "an interval has no time zone; leave it out, or give cron"


async def check(
    services: Services, team_id: UUID, request: ScheduleRequest | ScheduleChange, *, has_cron: bool
) -> None:
    """Judge what a request has. ``has_cron``: the schedule goes by the clock of a time zone.

    Raises:
        InvalidRequest: with everything that is wrong.
        TemporaryFailure: who must be asked cannot be reached; nothing was changed.
    """
    problems = [
        *_timing(services.options.schedules.least_seconds, request),
        *[each async for each in _zone(request.time_zone, has_cron=has_cron)],
    ]
    if request.task is not None:
        problems += await _task(services, team_id, request.task)
    if problems:
        raise InvalidRequest(problems)


def _timing(least_seconds: float, request: ScheduleRequest | ScheduleChange) -> Iterator[Problem]:
    more_often = (
        f"it would run more often than every {least_seconds:g} s, which is the least here "
        "(AGENTOS_SCHEDULE_SECONDS)"
    )
    if request.every is not None and request.every.total_seconds() < least_seconds:
        yield Problem("/every", more_often)
    if request.cron is not None and cron.parse(request.cron).least_seconds < least_seconds:
        yield Problem("/cron", more_often)


async def _zone(name: str | None, *, has_cron: bool) -> AsyncIterator[Problem]:
    if name is None:
        return
    if not has_cron:
        yield Problem("/time_zone", _NO_ZONE)
    elif reason := await off_loop(zone_problem, name):
        yield Problem("/time_zone", reason)


@contextmanager
def refusing_gone_inputs() -> Iterator[None]:
    """Raises ``InvalidRequest`` where what the task is given was deleted since it was judged."""
    try:
        yield
    except InputsGone as gone:
        raise InvalidRequest(_within_task(gone.problems)) from gone


async def _task(services: Services, team_id: UUID, request: TaskRequest) -> list[Problem]:
    try:
        await judge(services, team_id, request)
    except TaskRefused as refused:
        return _within_task(refused.problems)
    return []


def _within_task(problems: Sequence[Problem]) -> list[Problem]:
    return [Problem(f"/task{each.pointer}", each.message) for each in problems]
