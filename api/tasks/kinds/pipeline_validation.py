"""What is wrong with a pipeline that only the installed parts and its inputs can tell."""

import asyncio
import difflib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from uuid import UUID

from pydantic import JsonValue

from activities.skills.catalogue import Catalogue
from activities.store.database import Database
from activities.store.mcp_tools import callable_tools
from activities.store.tools import tool_settings
from activities.tools.registry import Registry
from api.off_loop import off_loop
from api.services import Services
from workflows.definitions.mcp_server import PREFIX
from workflows.definitions.pipeline import Pipeline, problems_of
from workflows.errors import AgentOSError, ToolDisabled
from workflows.pointers import Problem


async def problems_with_pipeline(
    services: Services,
    team_id: UUID,
    pipeline: Pipeline,
    given: Mapping[str, str],
    at: str = "/pipeline",
) -> list[Problem]:
    """Everything that is wrong with what is at ``/pipeline``, and with the names of its inputs."""
    return [
        *await off_loop(problems_of, pipeline, given, at),
        *[found async for found in _skills(services.catalogue, pipeline, at)],
        *await _tools(services.database, services.tools, team_id, pipeline, at),
    ]


async def _skills(catalogue: Catalogue, pipeline: Pipeline, at: str) -> AsyncIterator[Problem]:
    for index, step in enumerate(pipeline.steps):
        if step.skill is None:
            continue
        try:
            await catalogue.find(step.skill)
        except AgentOSError as error:
            await asyncio.sleep(0)  # To look for what was meant takes some milliseconds.
            yield Problem(f"{at}/steps/{index}/skill", str(error))
            continue
        try:
            await catalogue.find_script(step.skill, step.script)
        except AgentOSError as error:
            where = "skill" if step.script is None else "script"
            yield Problem(f"{at}/steps/{index}/{where}", str(error))


async def _tools(
    database: Database, registry: Registry, team_id: UUID, pipeline: Pipeline, at: str
) -> list[Problem]:
    used = [(index, step) for index, step in enumerate(pipeline.steps) if step.tool is not None]
    settings = await tool_settings(database, team_id) if used else {}
    registered = await _registered(database, team_id, pipeline)
    problems: list[Problem] = []
    for index, step in used:
        name, where = step.tool or "", f"{at}/steps/{index}"
        tool = registry.for_pipelines.get(name)
        if (tool or name.startswith(PREFIX)) and name in settings and not settings[name].is_active:
            problems.append(Problem(f"{where}/tool", str(ToolDisabled(tool=name))))
        elif tool is None and name not in registered:
            problems.append(Problem(f"{where}/tool", _unknown_tool(name, registry)))
        elif tool is not None and isinstance(step.args, dict):
            found = await off_loop(tool.problems, step.args)
            problems += _arguments(found, step.args, f"{where}/args")
    return problems


async def _registered(database: Database, team_id: UUID, pipeline: Pipeline) -> Collection[str]:
    """The tools of the team's MCP servers, if the pipeline names any."""
    if not any((step.tool or "").startswith(PREFIX) for step in pipeline.steps):
        return ()
    return {tool.name for tool in await callable_tools(database, team_id)}


def _arguments(
    found: list[tuple[str, str]], arguments: Mapping[str, JsonValue], at: str
) -> Iterator[Problem]:
    """A reference may still become what the tool wants: only its absence is known to be wrong."""
    for place, message in found:
        value = arguments.get(place.split("/")[1]) if place else None
        if not (isinstance(value, str) and "${" in value):
            yield Problem(f"{at}{place}", message)


def _unknown_tool(name: str, registry: Registry) -> str:
    tools = registry.for_pipelines
    near = difflib.get_close_matches(name[:100], list(tools), n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Tools: {', '.join(tools)}."
    return f"there is no tool named {name[:100]!r}. {hint}"
