"""What is wrong with a pipeline that only the installed parts and its inputs can tell."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from uuid import UUID

from pydantic import JsonValue

from activities.kinds.base import Installed
from activities.kinds.tool_names import mcp_tool_names, unknown_tool
from activities.off_loop import off_loop
from activities.skills.catalogue import Catalogue
from activities.skills.code_packages import check_packages, declared_packages
from activities.skills.code_sources import problem_with_source, steps_to_look_at
from activities.skills.needs import check_imports, read_needs
from activities.store.database import Database
from activities.store.tools import tool_settings
from activities.tools.registry import Registry
from workflows.definitions.mcp_server import PREFIX
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.pipeline_checking import problems_of
from workflows.errors import AgentOSError
from workflows.errors.tools import ToolDisabled
from workflows.pointers import Problem

_NOT_CACHED = (
    "results of {tool} are not kept: they depend on the task, or take no time; leave it out"
)


async def problems_with_pipeline(
    installed: Installed,
    team_id: UUID,
    pipeline: Pipeline,
    given: Mapping[str, str],
    at: str = "/pipeline",
    *,
    by_model: bool = False,
) -> list[Problem]:
    """Everything that is wrong with what is at ``/pipeline``, and with the names of its inputs.

    Code that is written ``by_model`` may declare only packages that a skill declares.
    """
    return [
        *await off_loop(problems_of, pipeline, given, at),
        *[found async for found in _skills(installed.catalogue, pipeline, at)],
        *await problems_with_code(installed.catalogue, pipeline, at, by_model=by_model),
        *await _tools(installed.database, installed.tools, team_id, pipeline, at),
    ]


async def problems_with_code(
    catalogue: Catalogue, pipeline: Pipeline, at: str = "/pipeline", *, by_model: bool
) -> list[Problem]:
    """What is wrong with the packages that its code declares, and with the code itself."""
    problems = []
    looked_at = steps_to_look_at(pipeline)
    for index, step in enumerate(pipeline.steps):
        where = f"{at}/steps/{index}/code/source"
        try:
            packages = check_packages(catalogue, step) if by_model else declared_packages(step)
            declared = await packages
        except AgentOSError as error:
            problems.append(Problem(where, str(error)))
            continue
        if index in looked_at:
            with suppress(AgentOSError):  # A skill that cannot be used is told elsewhere.
                if fault := await problem_with_source(catalogue, step, declared):
                    problems.append(Problem(where, fault.message, line=fault.line))
    return problems


async def _skills(catalogue: Catalogue, pipeline: Pipeline, at: str) -> AsyncIterator[Problem]:
    for index, step in enumerate(pipeline.steps):
        where = f"{at}/steps/{index}"
        used = step.code.skill if step.code else None
        for name, place in ((step.skill, "skill"), (used, "code/skill")):
            try:
                if name is not None:
                    await catalogue.find(name)
            except AgentOSError as error:
                await asyncio.sleep(0)  # To look for what was meant takes some milliseconds.
                yield Problem(f"{where}/{place}", str(error))
                break
        else:
            async for problem in _script(catalogue, step, where):
                yield problem


async def _script(catalogue: Catalogue, step: Step, where: str) -> AsyncIterator[Problem]:
    if step.skill is None:
        return
    try:
        skill, entry = await catalogue.find_script(step.skill, step.script)
        needs = await read_needs(skill, entry)
        if not needs.dependencies.installs:  # else the worker looks at what was installed
            check_imports(needs, ())
    except AgentOSError as error:
        place = "skill" if step.script is None else "script"
        yield Problem(f"{where}/{place}", str(error))


async def _tools(
    database: Database, registry: Registry, team_id: UUID, pipeline: Pipeline, at: str
) -> list[Problem]:
    used = [(index, step) for index, step in enumerate(pipeline.steps) if step.tool is not None]
    settings = await tool_settings(database, team_id) if used else {}
    is_known = all((step.tool or "") in registry.for_pipelines for _, step in used)
    registered = () if is_known else await mcp_tool_names(database, team_id)
    problems: list[Problem] = []
    for index, step in used:
        name, where = step.tool or "", f"{at}/steps/{index}"
        tool = registry.for_pipelines.get(name)
        if (tool or name.startswith(PREFIX)) and name in settings and not settings[name].is_active:
            problems.append(Problem(f"{where}/tool", str(ToolDisabled(tool=name))))
        elif tool is None and name not in registered:
            known = (*registry.for_pipelines, *registered)
            problems.append(Problem(f"{where}/tool", unknown_tool(name, known)))
        elif tool is not None and isinstance(step.args, dict) and not (step.skill or step.code):
            found = await off_loop(tool.problems, step.args)
            problems += _arguments(found, step.args, f"{where}/args")
            if step.cache and tool.cache is None:
                problems.append(Problem(f"{where}/cache", _NOT_CACHED.format(tool=name)))
    return problems


def _arguments(
    found: list[tuple[str, str]], arguments: Mapping[str, JsonValue], at: str
) -> Iterator[Problem]:
    """A reference may still become what the tool wants: only its absence is known to be wrong."""
    for place, message in found:
        value = arguments.get(place.split("/")[1]) if place else None
        if not (isinstance(value, str) and "${" in value):
            yield Problem(f"{at}{place}", message)
