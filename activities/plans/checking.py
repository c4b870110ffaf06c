"""What is wrong with the nodes of a plan that only the installed parts can tell."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, JsonValue, ValidationError

from activities.kinds.base import Installed
from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.kinds.tool_names import NAME_CHARACTERS, unknown_tool
from activities.off_loop import off_loop
from activities.plans.ability import Ability
from activities.plans.dataflow import OUTPUT_FILE
from activities.plans.step_checking import problems_with_steps
from activities.sandbox.names import objection
from activities.tools.finish import FINISH
from activities.tools.schemas import schema_problems
from activities.tools.selection import is_allowed, is_within, unknown_names
from activities.tools.skills import AllowedSkills
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Node, Plan
from workflows.errors import AgentOSError
from workflows.pointers import Problem, problems_in
from workflows.states import NodeKind

# As many as an answer to a model lists, and places of one problem that it names.
MAX_LISTED = 10
_PLACES_SHOWN = 3

Placed = tuple[str, Node]
"""A node, and its JSON pointer."""

Parsed = TypeVar("Parsed", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on: its definition, what its agents are able to do, what is installed.
    ``given`` are the names of the task's inputs."""

    installed: Installed
    team_id: UUID
    plan: Plan
    given: Sequence[str]
    ability: Ability


def parsed(
    model: type[Parsed], arguments: Mapping[str, JsonValue]
) -> tuple[Parsed | None, list[Problem]]:
    """The arguments of a call as what they are to be; or all that is wrong with their form."""
    try:
        return model.model_validate(arguments), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return None, problems_in(found, arguments, model=model)


def count_problem(arguments: Mapping[str, JsonValue], field: str, most: int) -> list[Problem]:
    """That there are too many nodes, which is known before anybody reads them."""
    nodes = arguments.get(field)
    if not isinstance(nodes, list) or len(nodes) <= most:
        return []
    return [Problem(f"/{field}", f"{len(nodes)} nodes are more than the {most} allowed; join some")]


async def problems_with_nodes(ground: Ground, placed: Iterable[Placed]) -> list[Problem]:
    """What is wrong with nodes, beside how they fit together."""
    return [problem for at, node in placed async for problem in _of_node(ground, node, at)]


def listed(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Problems for a model: places that have the same one share a line."""
    places: dict[str, dict[str, None]] = {}
    for problem in problems:
        places.setdefault(problem.message, {})[problem.pointer] = None
    lines = [(_joined(list(where)), message) for message, where in places.items()]
    if len(lines) > MAX_LISTED:
        more = len(lines) - MAX_LISTED + 1
        lines[MAX_LISTED - 1 :] = [("", f"there are {more} more problems")]
    return lines


def _joined(where: Sequence[str]) -> str:
    more = f" and {len(where) - _PLACES_SHOWN} more places" if len(where) > _PLACES_SHOWN else ""
    return ", ".join(where[:_PLACES_SHOWN]) + more


async def _of_node(ground: Ground, node: Node, at: str) -> AsyncIterator[Problem]:
    for problem in _file_names(node, f"{at}/files"):
        yield problem
    for problem in await off_loop(schema_problems, node.output_schema or {}):
        yield Problem(f"{at}/output_schema{problem.pointer}", problem.message)
    if node.kind is NodeKind.PIPELINE:
        for problem in await _pipeline(ground, node, at):
            yield problem
    elif node.kind is not NodeKind.REASONING:
        async for problem in _skills(ground, node, f"{at}/skills"):
            yield problem
        for problem in await off_loop(_tools, ground, node, f"{at}/tools"):
            yield problem
        for problem in _idle_hands(ground, node, at):
            yield problem


def _file_names(node: Node, at: str) -> Iterator[Problem]:
    for index, name in enumerate(node.files):
        if name == OUTPUT_FILE:
            message = f"{OUTPUT_FILE} is where the result of each node is kept; take another name"
            yield Problem(f"{at}/{index}", message)
        elif any(part in {"", ".", ".."} for part in name.split("/")):
            yield Problem(f"{at}/{index}", "write it as in report.md, or as in tables/sales.csv")
        elif reason := objection(name):
            yield Problem(f"{at}/{index}", reason)


async def _skills(ground: Ground, node: Node, at: str) -> AsyncIterator[Problem]:
    allowed = AllowedSkills(ground.installed.catalogue, ground.plan.agent.skills)
    for index, name in enumerate(node.skills or ()):
        try:
            await allowed.find(name)
        except AgentOSError as error:
            yield Problem(f"{at}/{index}", str(error))
            continue
        if name not in ground.ability.skills:
            yield Problem(f"{at}/{index}", "agents of this plan have no tool that uses skills")


def _tools(ground: Ground, node: Node, at: str) -> list[Problem]:
    known, allowed = (*ground.ability.tools, FINISH), ground.plan.agent.tools
    found: list[Problem] = []
    for index, name in enumerate(node.tools or ()):
        shown = name[:NAME_CHARACTERS]
        if name in ground.installed.tools.tools and name not in known:
            found.append(Problem(f"{at}/{index}", f"agents of this plan may not use {shown!r}"))
        elif unknown_names((name,), known):
            found.append(Problem(f"{at}/{index}", unknown_tool(name, known)))
        elif name not in known and not is_within(name, allowed):
            message = f"agents of this plan may use some of {shown} only: name them"
            found.append(Problem(f"{at}/{index}", message))
    return found


def _idle_hands(ground: Ground, node: Node, at: str) -> Iterator[Problem]:
    """Files are of no use to one who can call nothing."""
    agent = Agent(
        skills=ground.plan.agent.skills if node.skills is None else node.skills,
        tools=ground.plan.agent.tools if node.tools is None else node.tools,
    )
    if any(is_allowed(agent, name, tool.need) for name, tool in ground.ability.tools.items()):
        return
    for field, verb in (("inputs", "reads"), ("files", "makes")):
        if getattr(node, field):
            yield Problem(f"{at}/{field}", f"without tools its agent {verb} no files")


async def _pipeline(ground: Ground, node: Node, at: str) -> list[Problem]:
    if node.steps is None:
        return []
    pipeline = Pipeline(name=node.id, inputs=list(node.inputs), steps=node.steps)
    found = await problems_with_pipeline(
        ground.installed, ground.team_id, pipeline, node.inputs, at=at, by_model=True
    )
    known, wrong = await ground.installed.catalogue.skills(), {item.pointer for item in found}
    # What there is not at all may not be used either.
    forbidden = problems_with_steps(node.steps, ground.ability, known, f"{at}/steps")
    return [*found, *(item for item in forbidden if item.pointer not in wrong)]
