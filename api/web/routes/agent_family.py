"""Whom an agent has made, what it has begun, and the groups that it is in."""

from typing import Annotated

from fastapi import Depends, Request, Response

from activities.store.reading.task_search import TaskFilter
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.agents import ONE, list_children
from api.http.routes.groups import list_all
from api.http.routes.tasks import list_tasks
from api.web.page import pages, render
from api.web.paging import first_page, next_page
from api.web.routes.agent_chat import Found
from api.wire.responses.agents import Agent
from api.wire.responses.pages import MAX_PAGE, Page

router = pages(prefix="/agents")


@router.get(f"{ONE}/children")
async def children_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    agent: Found,
    children: Annotated[Page[Agent], Depends(list_children)],
) -> Response:
    """Agents that it has made, and tasks that it has begun."""
    tasks = await list_tasks(
        services=services, team_id=team_id, wanted=TaskFilter(agent_id=agent.id)
    )
    return render(
        request,
        "agents/children.html",
        agent=agent,
        tab="children",
        children=children,
        first=first_page(request),
        next=next_page(request, children),
        tasks=tasks,
    )


@router.get(f"{ONE}/groups")
async def groups_page(
    request: Request, services: ServicesDep, team_id: TeamDep, agent: Found
) -> Response:
    """Groups that it is in."""
    groups = await list_all(services, team_id, member_id=agent.id, limit=MAX_PAGE)
    return render(request, "agents/groups.html", agent=agent, tab="groups", groups=groups)
