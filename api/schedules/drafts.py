"""Drafts of schedules: judged as if they were made, with the times at which they would run."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from pydantic import JsonValue, ValidationError

from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.schedules.checking import check
from api.schedules.times import next_times_of_cron, next_times_of_interval
from api.schedules.zones import zone_problem
from api.services import Services
from api.tasks.drafts import Draft, found_in
from api.wire.responses.checks import ScheduleCheck
from api.wire.schedule_requests import ScheduleRequest, Timing
from workflows.definitions import cron

_UTC = "UTC"


async def check_draft(
    services: Services, team_id: UUID, draft: Draft[ScheduleRequest]
) -> ScheduleCheck:
    """Judge a draft by the rules of a schedule. Nothing is kept.

    Raises:
        TemporaryFailure: who must be asked cannot be reached.
    """
    if (wanted := draft.request) is not None:
        try:
            await check(services, team_id, wanted, has_cron=wanted.cron is not None)
        except InvalidRequest as refused:
            draft = replace(draft, problems=refused.problems)
    return await off_loop(_answer, draft)


def _answer(draft: Draft[ScheduleRequest]) -> ScheduleCheck:
    times = next_times(draft.document, datetime.now(UTC))
    return ScheduleCheck(valid=not draft.problems, problems=found_in(draft), next_times=times)


def next_times(document: JsonValue, after: datetime) -> list[datetime]:
    """When a request would have it run; none where that cannot be read."""
    try:
        timing = Timing.model_validate(document)
    except ValidationError:
        return []
    zone = timing.time_zone or _UTC
    if timing.every is not None and timing.cron is None:
        return next_times_of_interval(timing.every, after)
    if timing.cron is None or timing.every is not None or zone_problem(zone):
        return []
    return next_times_of_cron(cron.parse(timing.cron), zone, after)
