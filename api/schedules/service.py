"""What people do with schedules: make, change, run, delete. Rows first, then Temporal."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from activities.store import audit, schedules
from activities.store.audit import Actor, Deed
from activities.store.reading.schedules import StoredSchedule, find_schedule
from activities.store.schedules import AskedRun, NewSchedule, Written
from api.errors import NotFound
from api.schedules.checking import check, refusing_gone_inputs
from api.schedules.errors import (
    ScheduleNameTaken,
    ScheduleNotSynced,
    ScheduleStillRuns,
    TooManyRunsAsked,
    TooManySchedules,
)
from api.schedules.syncing import sync, sync_now
from api.services import Services
from api.wire.responses.schedules import RunAsked
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest
from workflows.definitions.task_request import TaskRequest
from workflows.schedule_contracts import Overlap, scheduled_task_id

_UTC = "UTC"
# Whoever asks for a run waits so long for those that were asked for just before.
_LONGEST_WAIT = timedelta(seconds=5)


async def create(services: Services, actor: Actor, request: ScheduleRequest) -> StoredSchedule:
    """Accept a schedule. Temporal is told now, or once it can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        ScheduleNameTaken, TooManySchedules
    """
    await check(services, actor.team_id, request, has_cron=request.cron is not None)
    new = NewSchedule(
        id=uuid4(),
        name=request.name,
        cron=request.cron,
        every_seconds=None if request.every is None else request.every.total_seconds(),
        time_zone=request.time_zone or _UTC,
        task=_kept(request.task),
        overlap=request.overlap,
        catch_up_seconds=request.catch_up.total_seconds(),
        is_paused=request.paused,
        note=request.note,
    )
    most = services.options.schedules.most
    with refusing_gone_inputs():
        written = await schedules.create_schedule(services.database, actor, new, most=most)
    if written is Written.TOO_MANY:
        raise TooManySchedules(most=most)
    if written is Written.NAME_TAKEN:
        raise ScheduleNameTaken(name=request.name)
    return await _synced(services, actor.team_id, new.id)


async def change(
    services: Services, actor: Actor, schedule_id: UUID, request: ScheduleChange
) -> StoredSchedule:
    """Change a schedule; runs that go on are as they were.

    Raises:
        NotFound, InvalidRequest, ScheduleNameTaken
    """
    found = await load(services, actor.team_id, schedule_id)
    was_cron = found.cron is not None and request.every is None
    await check(services, actor.team_id, request, has_cron=was_cron or request.cron is not None)
    with refusing_gone_inputs():
        written = await schedules.change_schedule(
            services.database,
            actor,
            schedule_id,
            _changes(request),
            _deed(schedule_id, request),
            paused=request.paused,
        )
    if written is Written.GONE:
        raise _not_found(schedule_id)
    if written is Written.NAME_TAKEN:
        raise ScheduleNameTaken(name=request.name)
    return await _synced(services, actor.team_id, schedule_id)


async def remove(services: Services, actor: Actor, schedule_id: UUID) -> None:
    """Delete a schedule. Tasks that it has made stay. Raises ``NotFound``."""
    found = await load(services, actor.team_id, schedule_id)
    written = await schedules.delete_schedule(services.database, actor, schedule_id)
    if written is Written.GONE:
        raise _not_found(schedule_id)
    await sync_now(services, found.id)


async def run(services: Services, actor: Actor, schedule_id: UUID) -> RunAsked:
    """Run a schedule now, also one that is paused.

    Raises:
        NotFound
        ScheduleStillRuns: it leaves out runs that overlap, and one goes on.
        ScheduleNotSynced: Temporal does not know its latest change yet.
        TooManyRunsAsked: others were asked for in the same seconds.
        TemporaryFailure: Temporal cannot be reached; nothing was asked for.
    """
    schedule = await load(services, actor.team_id, schedule_id)
    if not schedule.is_synced:
        await sync(services, schedule)
    described = await services.temporal.schedules.describe(schedule_id)
    if described is None or described.version < schedule.version:
        raise ScheduleNotSynced(name=schedule.name)
    if described.runs and schedule.overlap is Overlap.SKIP:
        raise ScheduleStillRuns(name=schedule.name)
    at = await _asked(services, actor.team_id, schedule)
    await services.temporal.schedules.trigger(schedule, at)
    task_id = scheduled_task_id(schedule_id, at)
    deed = Deed("schedule.ran", str(schedule_id), details={"task_id": str(task_id)})
    await audit.record(services.database, actor, deed)
    return RunAsked(schedule_id=schedule_id, scheduled_at=at, task_id=task_id)


async def _asked(services: Services, team_id: UUID, schedule: StoredSchedule) -> datetime:
    """The time of a run that is asked for, once it has come.

    Of words that reach a schedule together Temporal hears the last one only. So they are a second
    apart.
    """
    asked = await schedules.ask_run(
        services.database, team_id, schedule.id, longest_wait=_LONGEST_WAIT
    )
    if asked is Written.TOO_MANY:
        raise TooManyRunsAsked(name=schedule.name)
    if not isinstance(asked, AskedRun):
        raise _not_found(schedule.id)
    await asyncio.sleep(asked.wait.total_seconds())
    return asked.at


async def load(services: Services, team_id: UUID, schedule_id: UUID) -> StoredSchedule:
    """Raises ``NotFound``."""
    found = await find_schedule(services.database, team_id, schedule_id)
    if found is None:
        raise _not_found(schedule_id)
    return found


async def _synced(services: Services, team_id: UUID, schedule_id: UUID) -> StoredSchedule:
    await sync_now(services, schedule_id)
    return await load(services, team_id, schedule_id)


def _changes(request: ScheduleChange) -> dict[str, Any]:
    """New values of columns, but for whether it is paused."""
    given = {
        "name": request.name,
        "time_zone": request.time_zone,
        "overlap": request.overlap,
        "note": request.note,
        "task": request.task and _kept(request.task),
        "catch_up_seconds": request.catch_up and request.catch_up.total_seconds(),
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if request.cron is not None:
        changes |= {"cron": request.cron, "every_seconds": None}
    if request.every is not None:
        every_seconds = request.every.total_seconds()
        changes |= {"cron": None, "every_seconds": every_seconds, "time_zone": _UTC}
    return changes


def _deed(schedule_id: UUID, request: ScheduleChange) -> Deed:
    fields = sorted(request.model_fields_set)
    words = {True: "schedule.paused", False: "schedule.resumed", None: "schedule.changed"}
    is_only = request.paused is not None and {*fields} <= {"paused", "note"}
    action = words[request.paused] if is_only else "schedule.changed"
    return Deed(action, str(schedule_id), request.note or "", {"fields": [*fields]})


def _kept(task: TaskRequest) -> dict[str, Any]:
    return task.model_dump(mode="json", exclude_unset=True)


def _not_found(schedule_id: UUID) -> NotFound:
    return NotFound(kind="schedule", id=schedule_id)
