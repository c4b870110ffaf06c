"""Templates of agents: those that the team has set, and files."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from activities.off_loop import off_loop
from activities.residents.checking import problems_with_resident
from activities.store import agent_templates
from activities.store.agent_templates import MAX_TEMPLATES, StoredTemplate
from activities.store.audit import Actor
from api.errors import InvalidRequest, NotFound, did_you_mean
from api.residents.errors import TooManyTemplates
from api.services import Services
from api.wire.agent_requests import TemplateRequest
from api.wire.responses.agents import (
    AgentLimits,
    AgentProfile,
    AgentTemplate,
    RefusedTemplate,
    TemplateList,
)
from workflows.definitions.resident import Resident
from workflows.pointers import Problem
from workflows.suggestions import nearest

_FILE = "file"
_TEAM = "team"


async def template_fields(
    services: Services, team_id: UUID, name: str | None
) -> Mapping[str, JsonValue]:
    """The fields of the definition that a template gives; none without a name.

    Raises:
        InvalidRequest: there is no such template.
    """
    if name is None:
        return {}
    found = await _find(services, team_id, name)
    if found is not None:
        return found[1].definition
    known = {
        *(each.name for each in await agent_templates.list_templates(services.database, team_id)),
        *(await services.templates.found()).templates,
    }
    meant = await off_loop(nearest, name, known)
    hint = f"did you mean {meant}?" if meant else "GET /agent-templates lists them"
    raise InvalidRequest([Problem("/template", f"there is no template {name!r}; {hint}")])


async def list_templates(services: Services, team_id: UUID) -> TemplateList:
    """By name; one that the team has set goes before a file of its name."""
    files = await services.templates.found()
    shown = {name: _show(_FILE, _template(name, each)) for name, each in files.templates.items()}
    for each in await agent_templates.list_templates(services.database, team_id):
        shown[each.name] = _show(_TEAM, each)
    refused = [RefusedTemplate(file=file, reason=why) for file, why in files.refused.items()]
    return TemplateList(items=[shown[name] for name in sorted(shown)], refused=refused)


async def get_template(services: Services, team_id: UUID, name: str) -> AgentTemplate:
    """Raises ``NotFound``."""
    found = await _find(services, team_id, name)
    if found is None:
        known = (await list_templates(services, team_id)).items
        hint = did_you_mean(name, [each.name for each in known])
        raise NotFound(kind="template", id=name, hint=hint)
    return _show(*found)


async def put_template(
    services: Services, actor: Actor, name: str, request: TemplateRequest
) -> AgentTemplate:
    """Set a template. Agents that were made of it before stay as they are.

    Raises:
        InvalidRequest, TooManyTemplates
    """
    template = _template(name, request)
    resident = Resident.model_validate(template.definition)
    if problems := await problems_with_resident(services.installed, actor.team_id, resident):
        raise InvalidRequest(problems)
    if not await agent_templates.put_template(services.database, actor, template):
        raise TooManyTemplates(most=MAX_TEMPLATES)
    return _show(_TEAM, template)


async def delete_template(services: Services, actor: Actor, name: str) -> None:
    """Raises ``NotFound``, also where it is a file."""
    if not await agent_templates.delete_template(services.database, actor, name):
        raise NotFound(kind="template", id=f"{name} that your team has set")


async def _find(services: Services, team_id: UUID, name: str) -> tuple[str, StoredTemplate] | None:
    for stored in await agent_templates.list_templates(services.database, team_id, name):
        return _TEAM, stored
    file = (await services.templates.found()).templates.get(name)
    return None if file is None else (_FILE, _template(name, file))


def _template(name: str, request: TemplateRequest) -> StoredTemplate:
    return StoredTemplate(name, request.description, request.given)


def _show(source: str, template: StoredTemplate) -> AgentTemplate:
    resident = Resident.model_validate(template.definition)
    return AgentTemplate(
        name=template.name,
        description=template.description,
        source=source,
        profile=AgentProfile(**resident.profile.model_dump()),
        skills=None if resident.skills is None else [*resident.skills],
        tools=None if resident.tools is None else [*resident.tools],
        model=resident.model,
        limits=AgentLimits(**resident.limits.model_dump()),
    )
