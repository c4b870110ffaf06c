"""Who an agent is, and what is done to it: pause, resume, restart, terminate, delete."""

from uuid import UUID

from fastapi import Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes.agents import ONE, list_children
from api.residents import acts, defining
from api.services import Services
from api.web.agents.fields import Values, changed_agent, values_of_agent, values_of_form
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.refusals import NOTHING, Refusal, Refused, refusal_of
from api.web.routes.agent_chat import Found
from api.web.routes.agents import choices_of
from api.wire.agent_requests import AgentChange
from api.wire.responses.agents import Agent
from workflows.definitions.resident import ResidentLimits
from workflows.resident_states import ChildrenFate

router = pages(prefix="/agents")


@router.get(f"{ONE}/settings")
async def settings_page(
    request: Request, services: ServicesDep, team_id: TeamDep, agent: Found
) -> Response:
    """Show who it is, to be changed."""
    return await _form(request, services, team_id, agent, values_of_agent(agent), NOTHING)


@router.post(f"{ONE}/settings")
async def change(
    request: Request, agent: Found, services: ServicesDep, actor: ActorDep
) -> Response:
    """Change it, from its next turn on."""
    form = await fields_of(request)
    try:
        wanted = checked(AgentChange, changed_agent(form))
        await defining.change(services, actor, agent.id, wanted)
    except Refused as error:
        values = values_of_form(form)
        return await _form(request, services, actor.team_id, agent, values, refusal_of(error))
    return see_other(f"/agents/{agent.id}/settings")


@router.post(f"{ONE}/pause")
async def pause(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Let it rest before its next turn."""
    await acts.pause(services, actor, agent_id)
    return see_other(f"/agents/{agent_id}")


@router.post(f"{ONE}/resume")
async def resume(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Let it go on."""
    await acts.resume(services, actor, agent_id)
    return see_other(f"/agents/{agent_id}")


@router.post(f"{ONE}/restart")
async def restart(
    request: Request, agent_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Have it try again, or leave out what it could not answer."""
    form = await fields_of(request)
    skip = text_of(form, "skip") == "true"
    await acts.restart(services, actor, agent_id, skip=skip)
    return see_other(f"/agents/{agent_id}")


@router.get(f"{ONE}/terminate")
async def terminate_page(
    request: Request, services: ServicesDep, team_id: TeamDep, agent: Found
) -> Response:
    """Say what will happen."""
    children = await list_children(agent.id, services, team_id)
    return render(
        request, "agents/terminate.html", agent=agent, tab="settings", children=children.items
    )


@router.post(f"{ONE}/terminate")
async def terminate(
    request: Request, agent_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """End it for good."""
    form = await fields_of(request)
    is_handed_over = text_of(form, "children") == ChildrenFate.HAND_OVER
    fate = ChildrenFate.HAND_OVER if is_handed_over else ChildrenFate.TERMINATE
    await acts.terminate(services, actor, agent_id, fate)
    return see_other(f"/agents/{agent_id}/settings")


@router.get(f"{ONE}/delete")
async def delete_page(request: Request, agent: Found) -> Response:
    """Say what will be gone."""
    return render(request, "agents/delete.html", agent=agent, tab="settings")


@router.post(f"{ONE}/delete")
async def delete(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete it with all that was said."""
    await acts.delete(services, actor, agent_id)
    return see_other("/agents")


async def _form(  # noqa: PLR0917
    request: Request,
    services: Services,
    team_id: UUID,
    agent: Agent,
    values: Values,
    refusal: Refusal,
) -> Response:
    return render(
        request,
        "agents/settings.html",
        status=refusal.status,
        agent=agent,
        tab="settings",
        values=values,
        refusal=refusal,
        choices=await choices_of(services, team_id),
        defaults=ResidentLimits(),
    )
