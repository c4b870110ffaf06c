"""The page of all agents that stay, and the form that makes one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes.agent_templates import list_templates
from api.http.routes.agents import get_agent, list_agents
from api.http.routes.skills import list_skills
from api.http.routes.tools import list_tools
from api.residents import defining
from api.services import Services
from api.web.agents.fields import EVERYTHING, Values, new_agent, values_of_form
from api.web.forms import key_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.refusals import NOTHING, Refusal, Refused, refusal_of
from api.wire.agent_requests import AgentRequest
from api.wire.responses.agents import Agent, TemplateList
from api.wire.responses.pages import MAX_PAGE, Page
from workflows.definitions.resident import ResidentLimits
from workflows.states import AgentState

router = pages()


@dataclass(frozen=True, slots=True)
class Choices:
    """What agents may be made of: names with what they are for."""

    skills: Sequence[tuple[str, str]]
    tools: Sequence[tuple[str, str]]


@router.get("/agents")
async def agents_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    agents: Annotated[Page[Agent], Depends(list_agents)],
    parent_id: UUID | None = None,
) -> Response:
    """List agents, the newest first."""
    parent = None if parent_id is None else await get_agent(parent_id, services, team_id)
    query = request.query_params
    return render(
        request,
        "agents/list.html",
        agents=agents,
        names={agent.id: agent.name for agent in (*agents.items, *([parent] if parent else []))},
        parent=parent,
        states=list(AgentState),
        text=query.get("text", ""),
        state=query.get("state", ""),
        is_filtered=bool(query),
        first=first_page(request),
        next=next_page(request, agents),
    )


@router.get("/agents/new")
async def new_agent_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    template: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Ask who the agent is to be."""
    values = {"name": "", "template": template, "skills_of": EVERYTHING, "tools_of": EVERYTHING}
    return await _form(request, services, team_id, values, NOTHING)


@router.post("/agents")
async def create(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Make it, and talk with it."""
    form = await fields_of(request)
    try:
        wanted = checked(AgentRequest, new_agent(form))
        made = await defining.create(services, actor, wanted, key_of(form))
    except Refused as error:
        values = values_of_form(form)
        return await _form(request, services, actor.team_id, values, refusal_of(error))
    return see_other(f"/agents/{made.id}")


async def _form(
    request: Request, services: Services, team_id: UUID, values: Values, refusal: Refusal
) -> Response:
    templates: TemplateList = await list_templates(services, team_id)
    return render(
        request,
        "agents/new.html",
        status=refusal.status,
        key=uuid4().hex,
        values=values,
        refusal=refusal,
        templates=templates,
        choices=await choices_of(services, team_id),
        defaults=ResidentLimits(),
    )


async def choices_of(services: Services, team_id: UUID) -> Choices:
    """The skills and tools of a team, as far as one page has them."""
    skills = await list_skills(services, team_id)
    tools = await list_tools(services=services, team_id=team_id, limit=MAX_PAGE)
    return Choices(
        [(skill.name, skill.description) for skill in skills.items],
        [(tool.name, tool.description) for tool in tools.items if tool.is_active],
    )
