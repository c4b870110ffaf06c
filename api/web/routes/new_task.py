"""The page of a new task: a pipeline, an agent, a plan, or whatever AgentOS makes of a prompt."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request, Response

from activities.off_loop import off_loop
from activities.store.tasks import find_accepted
from api.errors import IdempotencyConflict, NotFound
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes.files import list_files
from api.http.routes.skills import get_skill, list_skills
from api.http.routes.tasks import get_task
from api.http.routes.tools import list_tools
from api.services import Services
from api.tasks import submission
from api.web.new_task import beginnings
from api.web.new_task.fields import Filled
from api.web.new_task.sending import PATH, filled_in, sent_form
from api.web.new_task.view import View, begun, judged
from api.web.page import pages, render, see_other
from api.wire.responses.tools import Tool

router = pages()

_MOST_TOOLS = 500
_PAGE = 200
_RECENT_FILES = 20

Type = Literal["pipeline", "agent", "plan", "auto"]


@router.get(PATH)
async def new_task(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    type: Type | None = None,  # noqa: A002  (its name in the query)
    skill: Annotated[str | None, Query(max_length=200)] = None,
    example: Annotated[str | None, Query(max_length=100)] = None,
    earlier: Annotated[UUID | None, Query(alias="from")] = None,
) -> Response:
    """Ask what is to be done, beginning with a skill, an example or a task of before."""
    filled = await _beginning(services, team_id, type, skill, example, earlier)
    view = begun(filled)
    if filled.text("pipeline"):
        _, seen = await judged(services, team_id, filled)
        view = View(seen.filled, seen.rows, seen.check, of_pipeline=seen.of_pipeline)
    return await _form(request, services, team_id, view, earlier=earlier)


@router.post(PATH)
async def submit_task(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Begin the task, or show what is wrong with it where that was filled in."""
    team_id = actor.team_id
    async with sent_form(request) as form:
        filled = await filled_in(services, team_id, form)
        is_check = form.get("act") == "check"
    draft, view = await judged(services, team_id, filled)
    if is_check or draft.request is None or not (view.check and view.check.valid):
        status = 200 if is_check else 422
        return await _form(request, services, team_id, view, status=status, is_check=is_check)
    try:
        made = await submission.submit(services, actor, draft.request, filled.key)
    except IdempotencyConflict:
        return await _made_already(request, services, team_id, view)
    return see_other(f"/tasks/{made.task_id}")


async def _beginning(  # noqa: PLR0917
    services: Services,
    team_id: UUID,
    type_: Type | None,
    skill: str | None,
    example: str | None,
    earlier: UUID | None,
) -> Filled:
    if earlier is not None:
        return await off_loop(beginnings.of_task, await get_task(earlier, services, team_id))
    if skill is not None:
        found = await get_skill(skill, services, team_id)
        return beginnings.agent_with(found) if type_ == "agent" else beginnings.of_skill(found)
    if example is not None:
        if example not in beginnings.EXAMPLES:
            raise NotFound(kind="example", id=repr(example))
        return beginnings.of_example(example)
    return beginnings.blank(type_ or "pipeline")


async def _made_already(
    request: Request, services: Services, team_id: UUID, view: View
) -> Response:
    """The form was sent before, and changed since: that may be meant, so it is asked."""
    found = await find_accepted(services.database, team_id, view.filled.key)
    again = Filled(
        view.filled.type,
        beginnings.new_key(),
        view.filled.texts,
        view.filled.chosen,
        view.filled.inputs,
    )
    view = View(again, view.rows, view.check)
    made = found.id if found else None
    return await _form(request, services, team_id, view, status=409, made=made)


async def _form(
    request: Request, services: Services, team_id: UUID, view: View, **more: Any
) -> Response:
    context: dict[str, Any] = {"earlier": None, "made": None, "is_check": False, **more}
    is_agent = view.filled.type == "agent"
    skills = await list_skills(services, team_id)
    return render(
        request,
        "new_task/form.html",
        view=view,
        filled=view.filled,
        skills=skills.items,
        tools=await _tools(services, team_id) if is_agent else (),
        examples=beginnings.EXAMPLES,
        recent=(await list_files(services, team_id, None, _RECENT_FILES)).items,
        most_bytes=services.options.max_upload_bytes,
        # Without names there is a model all the same: the first of the server's.
        has_model=services.models is not None,
        models=services.models.models if services.models else (),
        **context,
    )


async def _tools(services: Services, team_id: UUID) -> list[Tool]:
    """Those that are on, a few hundred at most."""
    found: list[Tool] = []
    cursor: str | None = None
    while len(found) < _MOST_TOOLS:
        page = await list_tools(services=services, team_id=team_id, cursor=cursor, limit=_PAGE)
        found += [tool for tool in page.items if tool.is_active]
        cursor = page.next_cursor
        if cursor is None:
            break
    return found
