"""Templates of agents that stay."""

from typing import Annotated

from fastapi import Depends, Path

from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.routing import Routes
from api.residents import templates
from api.residents.errors import TooManyTemplates
from api.wire.agent_requests import TEMPLATE_NAME, TemplateRequest
from api.wire.responses.agents import AgentTemplate, TemplateList

router = Routes(prefix="/agent-templates", tags=["agents"])

Name = Annotated[str, Path(pattern=TEMPLATE_NAME)]


@router.get("", operation_id="listAgentTemplates")
async def list_templates(services: ServicesDep, team_id: TeamDep) -> TemplateList:
    """List templates by name, all on one page, and the files that cannot be used."""
    return await templates.list_templates(services, team_id)


@router.get("/{name}", operation_id="getAgentTemplate")
async def get_template(name: Name, services: ServicesDep, team_id: TeamDep) -> AgentTemplate:
    """Show a template."""
    return await templates.get_template(services, team_id, name)


@router.put("/{name}", responses=refusals(TooManyTemplates), operation_id="putAgentTemplate")
async def put_template(
    name: Name,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[TemplateRequest, Depends(Body(TemplateRequest))],
) -> AgentTemplate:
    """Set a template, in place of the one of that name. Agents made before stay as they are."""
    return await templates.put_template(services, actor, name, wanted)


@router.delete("/{name}", status_code=204, operation_id="deleteAgentTemplate")
async def delete_template(name: Name, services: ServicesDep, actor: ActorDep) -> None:
    """Delete a template that was set here. One that is a file of that name shows again."""
    await templates.delete_template(services, actor, name)
