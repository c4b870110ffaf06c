"""Schedules: make, list, look at, change, run, delete."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.schedules import list_schedules
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.drafts import DRAFT, Sent
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.schedules import service
from api.schedules.drafts import check_draft
from api.schedules.errors import (
    ScheduleNameTaken,
    ScheduleNotSynced,
    ScheduleStillRuns,
    TooManyRunsAsked,
    TooManySchedules,
)
from api.schedules.views import show, summaries
from api.tasks.drafts import Draft
from api.wire.requests import Text
from api.wire.responses.base import API
from api.wire.responses.checks import ScheduleCheck
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.schedules import RunAsked, Schedule, ScheduleSummary
from api.wire.schedule_requests import MAX_NAME_CHARACTERS, ScheduleChange, ScheduleRequest

router = Routes(prefix="/schedules", tags=["schedules"])

# `GET /check` must not be taken for a call of a schedule of that name.
_ONE = "/{schedule_id:uuid}"

sent_schedule = Sent(ScheduleRequest)


@router.post(
    "",
    status_code=201,
    responses=refusals(ScheduleNameTaken, TooManySchedules),
    operation_id="createSchedule",
)
async def create(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[ScheduleRequest, Depends(Body(ScheduleRequest))],
) -> Schedule:
    """Make a schedule. Once accepted, it will run, even if Temporal cannot be reached right now."""
    made = await service.create(services, actor, wanted)
    response.headers["Location"] = f"{services.options.public_url}{API}/schedules/{made.id}"
    return await show(services, made)


@router.post("/check", openapi_extra={"requestBody": DRAFT})
async def check_schedule(
    services: ServicesDep,
    team_id: TeamDep,
    draft: Annotated[Draft[ScheduleRequest], Depends(sent_schedule)],
) -> ScheduleCheck:
    """Say what is wrong with a schedule, and when it would run. None is made.

    It takes what ``POST /schedules`` takes, and answers in one way, be that right or wrong.
    """
    return await check_draft(services, team_id, draft)


@router.get("", operation_id="listSchedules")
async def list_all(
    services: ServicesDep,
    team_id: TeamDep,
    name: Annotated[Text | None, Query(max_length=MAX_NAME_CHARACTERS)] = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[ScheduleSummary]:
    """List schedules, newest first, with their next times and last runs."""
    found, following = await list_schedules(
        services.database, team_id, name, parse_cursor(cursor), limit
    )
    items = await summaries(services, team_id, found)
    return Page(items=items, next_cursor=cursor_text(following))


@router.get(_ONE, operation_id="getSchedule")
async def get(schedule_id: UUID, services: ServicesDep, team_id: TeamDep) -> Schedule:
    """Show a schedule with its next times and last runs."""
    return await show(services, await service.load(services, team_id, schedule_id))


@router.patch(_ONE, responses=refusals(ScheduleNameTaken), operation_id="changeSchedule")
async def change(
    schedule_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[ScheduleChange, Depends(Body(ScheduleChange))],
) -> Schedule:
    """Change, pause or resume a schedule. What runs goes on as it is."""
    return await show(services, await service.change(services, actor, schedule_id, wanted))


@router.delete(_ONE, status_code=204, operation_id="deleteSchedule")
async def delete(schedule_id: UUID, services: ServicesDep, actor: ActorDep) -> None:
    """Delete a schedule. Tasks that it has made stay, and go on."""
    await service.remove(services, actor, schedule_id)


@router.post(
    "/{schedule_id}/run",
    status_code=202,
    responses=refusals(ScheduleStillRuns, ScheduleNotSynced, TooManyRunsAsked),
    operation_id="runSchedule",
)
async def run(schedule_id: UUID, services: ServicesDep, actor: ActorDep) -> RunAsked:
    """Run a schedule now, also one that is paused."""
    return await service.run(services, actor, schedule_id)
