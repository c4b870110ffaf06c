"""The pages of schedules: which there are, one, and what people do with them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from markupsafe import Markup
from pydantic import JsonValue

from activities.off_loop import off_loop
from activities.store.audit import Actor
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes import schedules as calls
from api.http.routes.tasks import get_task
from api.schedules.drafts import check_draft
from api.schedules.errors import ScheduleNameTaken
from api.services import Services
from api.tasks.drafts import Draft
from api.web.filters import clip
from api.web.forms import own_path
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.schedules import form
from api.web.schedules.form import ScheduleView
from api.web.task_definition import request_in_order
from api.web.text.code import highlight
from api.wire.responses.pages import Page
from api.wire.responses.schedules import Schedule, ScheduleSummary
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest
from api.wire.yaml_writer import yaml_text

router = pages()

_ONE = "/schedules/{schedule_id:uuid}"
_FORM = "schedules/form.html"
# The whole is a link away, in JSON.
_SHOWN_CHARACTERS = 20_000

ListDep = Annotated[Page[ScheduleSummary], Depends(calls.list_all)]
ScheduleDep = Annotated[Schedule, Depends(calls.get)]


@router.get("/schedules")
async def schedules_page(request: Request, schedules: ListDep) -> Response:
    """List schedules with their next and last runs."""
    return render(
        request,
        "schedules/list.html",
        schedules=schedules,
        first=first_page(request),
        next=next_page(request, schedules),
    )


@router.get("/schedules/new")
async def new_schedule(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    earlier: Annotated[UUID | None, Query(alias="from")] = None,
) -> Response:
    """Ask what is to run, and when; beginning with a task of before."""
    if earlier is None:
        view = form.blank()
    else:
        view = await off_loop(form.of_task, await get_task(earlier, services, team_id))
    seen = await check_draft(services, team_id, await off_loop(form.draft_in, view.texts))
    view = ScheduleView(view.texts, check=seen)
    return render(request, _FORM, view=view, schedule=None, earlier=earlier)


@router.post("/schedules/new")
async def create_schedule(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Make a schedule, or show what is wrong with it where that was filled in."""
    texts = form.texts_of(await fields_of(request))
    draft, view = await _judged(services, actor, texts)
    if draft.request is not None and not view.problems and not view.of_task:
        try:
            made = await calls.create(Response(), services, actor, draft.request)
        except ScheduleNameTaken as error:
            view = ScheduleView(texts, {"name": str(error)}, check=view.check)
        else:
            return see_other(f"/schedules/{made.id}")
    return render(request, _FORM, status=422, view=view, schedule=None, earlier=None)


@router.get(_ONE)
async def schedule_page(request: Request, schedule: ScheduleDep) -> Response:
    """Show a schedule: when it runs, what has become of its last runs, and its task."""
    shown = await off_loop(_written, schedule.task)
    return render(request, "schedules/one.html", schedule=schedule, task=shown)


@router.get(f"{_ONE}/edit")
async def edit_schedule(
    request: Request, services: ServicesDep, team_id: TeamDep, schedule: ScheduleDep
) -> Response:
    """Ask what is to be different."""
    view = await off_loop(form.of_schedule, schedule)
    seen = await check_draft(services, team_id, await off_loop(form.draft_in, view.texts))
    view = ScheduleView(view.texts, check=seen)
    return render(request, _FORM, view=view, schedule=schedule, earlier=None)


@router.post(f"{_ONE}/edit")
async def change_schedule(
    request: Request, services: ServicesDep, actor: ActorDep, schedule: ScheduleDep
) -> Response:
    """Change a schedule, or show what is wrong."""
    texts = form.texts_of(await fields_of(request))
    draft, view = await _judged(services, actor, texts)
    if draft.request is not None and not view.problems and not view.of_task:
        change = checked(ScheduleChange, form.change_of(draft.request))
        try:
            await calls.change(schedule.id, services, actor, change)
        except ScheduleNameTaken as error:
            view = ScheduleView(texts, {"name": str(error)}, check=view.check)
        else:
            return see_other(f"/schedules/{schedule.id}")
    return render(request, _FORM, status=422, view=view, schedule=schedule, earlier=None)


@router.post(f"{_ONE}/pause")
async def pause_schedule(
    request: Request, schedule_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Pause a schedule."""
    await calls.change(schedule_id, services, actor, ScheduleChange(paused=True))
    return await _back(request, schedule_id)


@router.post(f"{_ONE}/resume")
async def resume_schedule(
    request: Request, schedule_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Let a schedule run again."""
    await calls.change(schedule_id, services, actor, ScheduleChange(paused=False))
    return await _back(request, schedule_id)


@router.post(f"{_ONE}/run")
async def run_schedule(
    request: Request, schedule_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Run a schedule now."""
    await calls.run(schedule_id, services, actor)
    return await _back(request, schedule_id)


@router.get(f"{_ONE}/delete")
async def confirm_deletion(request: Request, schedule: ScheduleDep) -> Response:
    """Say what deleting a schedule does."""
    return render(request, "schedules/delete.html", schedule=schedule)


@router.post(f"{_ONE}/delete")
async def delete_schedule(schedule_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete a schedule."""
    await calls.delete(schedule_id, services, actor)
    return see_other("/schedules")


def _written(task: dict[str, JsonValue]) -> Markup:
    return highlight(clip(yaml_text(request_in_order(task)), _SHOWN_CHARACTERS), "yaml")


async def _judged(
    services: Services, actor: Actor, texts: dict[str, str]
) -> tuple[Draft[ScheduleRequest], ScheduleView]:
    draft = await off_loop(form.draft_in, texts)
    return draft, form.judged_view(texts, await check_draft(services, actor.team_id, draft))


async def _back(request: Request, schedule_id: UUID) -> Response:
    """To the list, if that is where the button was."""
    fields = await fields_of(request)
    return see_other(own_path(str(fields.get("next") or f"/schedules/{schedule_id}")))
