"""Schedules of the store, and what Temporal says of them, as the answers of the API."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from activities.store.reading.schedules import StoredRun, StoredSchedule, last_runs
from api.schedules.temporal import Described
from api.services import Services
from api.wire.responses.schedules import Schedule, ScheduledTask, ScheduleSummary
from workflows.definitions.durations import shown_duration
from workflows.errors import TemporaryFailure

RUNS_SHOWN = 10
MOST_AT_ONCE = 16

_UNAWARE = "Temporal was not yet told of the latest change; that follows by itself."


async def show(services: Services, found: StoredSchedule) -> Schedule:
    """A whole schedule."""
    [summary] = await summaries(services, found.team_id, [found])
    return Schedule(**summary.model_dump(), task=dict(found.task or {}))


async def summaries(
    services: Services, team_id: UUID, found: Sequence[StoredSchedule]
) -> list[ScheduleSummary]:
    """Each with its next times and its last runs."""
    runs = await last_runs(services.database, team_id, [each.id for each in found], RUNS_SHOWN)
    places = asyncio.Semaphore(MOST_AT_ONCE)

    async def described(schedule: StoredSchedule) -> Described | str:
        async with places:
            return await _describe(services, schedule)

    descriptions = await asyncio.gather(*map(described, found))
    return [
        _summary(schedule, description, runs[schedule.id])
        for schedule, description in zip(found, descriptions, strict=True)
    ]


async def _describe(services: Services, schedule: StoredSchedule) -> Described | str:
    """What Temporal has of a schedule, or why that cannot be said."""
    try:
        described = await services.temporal.schedules.describe(schedule.id)
    except TemporaryFailure as failure:
        return str(failure)
    is_aware = described is not None and described.version >= schedule.version
    return described if described is not None and is_aware else _UNAWARE


def _summary(
    stored: StoredSchedule, described: Described | str, runs: Sequence[StoredRun]
) -> ScheduleSummary:
    every = stored.every_seconds
    known = described if isinstance(described, Described) else None
    # Somebody may have paused it in Temporal.
    is_paused = stored.paused_at is not None or (known is not None and known.is_paused)
    return ScheduleSummary(
        id=stored.id,
        name=stored.name,
        cron=stored.cron,
        every=None if every is None else shown_duration(timedelta(seconds=every)),
        time_zone=stored.time_zone,
        overlap=stored.overlap,
        catch_up=shown_duration(timedelta(seconds=stored.catch_up_seconds)),
        paused=is_paused,
        note=stored.note,
        version=stored.version,
        next_times=known and ([] if is_paused else list(known.next_times)),
        left_out=known and known.left_out,
        missed=known and known.missed,
        problem=described if isinstance(described, str) else None,
        runs=[_run(run) for run in runs],
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _run(run: StoredRun) -> ScheduledTask:
    return ScheduledTask(
        task_id=run.task_id,
        scheduled_at=run.scheduled_at,
        status=run.status,
        error=run.error and run.error.model_dump(exclude_none=True),
        created_at=run.created_at,
        finished_at=run.finished_at,
    )
