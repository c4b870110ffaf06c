"""What is wrong with an agent that only the installed parts and its inputs can tell."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from uuid import UUID

from pydantic import JsonValue

from activities.kinds.base import Installed
from activities.kinds.tool_names import mcp_tool_names, unknown_tool
from activities.off_loop import off_loop
from activities.skills.catalogue import Catalogue
from activities.tools.finish import FINISH
from activities.tools.schemas import schema_problems
from activities.tools.selection import unknown_names
from workflows.definitions.agent import Agent, Limits
from workflows.definitions.inputs import MAX_INPUTS, environment_name
from workflows.errors import AgentOSError
from workflows.pointers import MAX_PROBLEMS, Problem, pointer

_NO_MODEL = (
    "no model is configured on this server: set OPENAI_API_KEY, or OPENAI_BASE_URL of a compatible "
    "server, and AGENTOS_MODELS to choose among its models"
)


AGENT = "/agent"


async def problems_with_agent(
    installed: Installed, team_id: UUID, agent: Agent, given: Mapping[str, str], at: str = AGENT
) -> list[Problem]:
    """Everything that is wrong with the agent at ``at``, and with the names of its inputs."""
    problems = [found async for found in _skills(installed.catalogue, agent, at)]
    problems += await _tools(installed, team_id, agent, at)
    problems += await problems_with_result(agent.output_schema, at)
    if installed.models is None:
        problems.append(Problem("/type", _NO_MODEL))
    problems += problems_with_limits(installed, agent.limits, agent.model, at)
    return [*problems, *problems_with_input_names(given)]


async def problems_with_result(
    output_schema: Mapping[str, JsonValue] | None, at: str
) -> list[Problem]:
    """What is wrong with the schema of a result, which is that of what is at ``at``."""
    found = await off_loop(schema_problems, output_schema or {})
    return [Problem(f"{at}/output_schema{each.pointer}", each.message) for each in found]


def problems_with_limits(
    installed: Installed, limits: Limits, model: str | None, at: str
) -> Iterator[Problem]:
    """What is wrong with the limits of what is at ``at``, where ``model`` is asked first."""
    options = installed.models
    if options is None or limits.cost_usd is None:
        return
    # Each may be asked, when those before it are overloaded; one without a price costs nothing.
    asked = [name for name in (model, *options.models) if name is not None]
    unpriced = [name for name in dict.fromkeys(asked) if name not in options.prices]
    if unpriced or not asked:
        named = ", ".join(unpriced) or "the model, of which AGENTOS_MODELS names none"
        message = f"cost cannot be limited: no price is known of {named}; set AGENTOS_PRICES"
        yield Problem(f"{at}/limits/cost_usd", message)


async def _skills(catalogue: Catalogue, agent: Agent, at: str) -> AsyncIterator[Problem]:
    for index, name in enumerate(agent.skills or ()):
        try:
            await catalogue.find(name)
        except AgentOSError as error:
            await asyncio.sleep(0)  # To look for what was meant takes some milliseconds.
            yield Problem(f"{at}/skills/{index}", str(error))


async def _tools(installed: Installed, team_id: UUID, agent: Agent, at: str) -> list[Problem]:
    if not agent.tools:
        return []
    known = [*installed.tools.tools, FINISH]
    if unknown_names(agent.tools, known):
        known += await mcp_tool_names(installed.database, team_id)
    return await off_loop(_unknown_tools, agent.tools, known, f"{at}/tools")


def _unknown_tools(tools: Sequence[str], known: Collection[str], at: str) -> list[Problem]:
    unknown = unknown_names(tools, known)[:MAX_PROBLEMS]
    return [
        Problem(f"{at}/{index}", unknown_tool(name, known))
        for index, name in enumerate(tools)
        if name in unknown
    ]


def problems_with_input_names(given: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the number of inputs and their names, each at ``/inputs``."""
    if len(given) > MAX_INPUTS:
        yield Problem("/inputs", f"{len(given)} inputs are more than the {MAX_INPUTS} allowed")
    first_name: dict[str, str] = {}
    for name in given:
        variable = environment_name(name)
        other = first_name.setdefault(variable, name)
        if other != name:
            message = f"input {name!r} and input {other!r} would both be {variable}; rename one"
            yield Problem(f"/inputs{pointer((name,))}", message)
