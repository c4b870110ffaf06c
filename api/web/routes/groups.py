"""The page of all groups, and the form that makes one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request, Response

from api.groups import service
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes.agents import list_agents
from api.http.routes.groups import list_all
from api.services import Services
from api.web.agents.group_fields import (
    NO_VALUES,
    GroupValues,
    new_group,
    values_of_form,
)
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.refusals import NOTHING, Refusal, Refused, refusal_of
from api.wire.group_requests import GroupRequest
from api.wire.responses.agents import Agent
from api.wire.responses.groups import Group
from api.wire.responses.pages import MAX_PAGE, Page
from workflows.states import AgentState

router = pages(prefix="/groups")

# Those that could say something.
_PRESENT = tuple(state for state in AgentState if state is not AgentState.TERMINATED)


@router.get("")
async def groups_page(
    request: Request, groups: Annotated[Page[Group], Depends(list_all)]
) -> Response:
    """List groups, the newest first."""
    return render(
        request,
        "groups/list.html",
        groups=groups,
        first=first_page(request),
        next=next_page(request, groups),
    )


@router.get("/new")
async def new_group_page(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Ask who is to talk."""
    return await _form(request, services, actor, NO_VALUES, NOTHING)


@router.post("")
async def create(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Make it, and talk with it."""
    form = await fields_of(request)
    try:
        made = await service.create(services, actor, checked(GroupRequest, new_group(form)))
    except Refused as error:
        return await _form(request, services, actor, values_of_form(form), refusal_of(error))
    return see_other(f"/groups/{made.id}")


async def _form(
    request: Request,
    services: Services,
    actor: ActorDep,
    values: GroupValues,
    refusal: Refusal,
) -> Response:
    return render(
        request,
        "groups/new.html",
        status=refusal.status,
        values=values,
        refusal=refusal,
        agents=await present_agents(services, actor.team_id),
    )


async def present_agents(services: Services, team_id: TeamDep) -> Sequence[Agent]:
    """Those that may be let in, as far as one page has them."""
    found = await list_agents(services=services, team_id=team_id, state=_PRESENT, limit=MAX_PAGE)
    return found.items
