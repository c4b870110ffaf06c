"""What the agents of a plan can do, as it really is: by that a planner decides what is one node."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from activities.llm.models import Models
from activities.skills.metadata import Skill
from activities.skills.section import SkillSection
from activities.tools.finish import FINISH
from activities.tools.offered import OfferedTool
from workflows.definitions.agent import Agent
from workflows.definitions.mcp_server import PREFIX
from workflows.definitions.plan import Plan
from workflows.states import Permission

MAX_SERVERS_SHOWN = 20
# Of one server, and of the native ones. An agent is told all that it has; its planner is not.
MAX_SERVER_TOOLS_SHOWN = 6
MAX_TOOLS_SHOWN = 30

_NO_TOOLS = (
    "It has no tools. It reads its prompt, and the results of the nodes before it, and answers; it "
    "can neither read nor make files."
)


@dataclass(frozen=True, slots=True)
class Ability:
    """``tools`` are those that an agent may call, without ``finish``; ``skills`` are empty where it
    has no tool that loads them. ``context_tokens`` is what its model reads and writes at once."""

    tools: Mapping[str, OfferedTool]
    skills: Mapping[str, Skill]
    context_tokens: int

    @classmethod
    def of(
        cls, offered: Mapping[str, OfferedTool], skills: Mapping[str, Skill], context_tokens: int
    ) -> "Ability":
        """That of an agent which is ``offered`` these tools, and may use these skills."""
        tools = {name: tool for name, tool in offered.items() if name != FINISH}
        has_skills = any(tool.shows_skills for tool in tools.values())
        return cls(tools, skills if has_skills else {}, context_tokens)

    @property
    def lookups(self) -> Mapping[str, OfferedTool]:
        """Those by which a planner learns how skills and tools are used, before it plans."""
        return {
            name: tool
            for name, tool in self.tools.items()
            if tool.native is not None
            and tool.native.reads == "means"
            and tool.permission is Permission.AUTO
        }

    @property
    def native(self) -> Sequence[str]:
        """The names of those tools that no server has brought."""
        return [name for name, tool in self.tools.items() if tool.source is None]

    @property
    def by_server(self) -> Mapping[str, Sequence[str]]:
        """The names of the tools of each server."""
        found: dict[str, list[str]] = {}
        for name, tool in self.tools.items():
            if tool.source is not None:
                found.setdefault(tool.source, []).append(name)
        return found


async def context_of(models: Models, agent: Agent) -> int:
    """How many tokens the first model that an agent asks reads and writes at once."""
    return models.context_tokens_of(agent.model or await models.default_model())


def ability_section(ability: Ability, plan: Plan) -> str:
    """What the planner is told of those who run its nodes, and of what there is for all."""
    return "\n".join([*_of_agent(ability, plan), *_of_plan(plan)])


def _of_agent(ability: Ability, plan: Plan) -> Iterator[str]:
    yield "What the agent that works on a node can do:"
    yield (
        f"- It holds {ability.context_tokens:,} tokens at once: its prompt, what it reads and what "
        "it writes."
    )
    yield f"- It takes up to {plan.agent.limits.turns:,} turns, with one or more calls in each."
    if not ability.tools:
        yield f"- {_NO_TOOLS}"
        return
    if native := ability.native:
        yield f"- Tools ({len(native)}): {_shown(native, MAX_TOOLS_SHOWN)}."
    servers = ability.by_server
    for server, names in sorted(servers.items())[:MAX_SERVERS_SHOWN]:
        named = _shown(names, MAX_SERVER_TOOLS_SHOWN)
        yield f"- Tools of the server {server} ({len(names)}), all as {PREFIX}{server}.*: {named}."
    if len(servers) > MAX_SERVERS_SHOWN:
        yield f"- Tools of {len(servers) - MAX_SERVERS_SHOWN} more servers."
    if ability.skills:
        yield f"- Skills ({len(ability.skills)}): one agent can use several, one after the other."
        is_searched = any(tool.finds_skills for tool in ability.lookups.values())
        yield str(SkillSection.of(ability.skills, is_searched=is_searched))
    else:
        yield "- It has no skills."


def _of_plan(plan: Plan) -> Iterator[str]:
    limits = plan.limits
    cost = "" if limits.cost_usd is None else f", {limits.cost_usd:g} US dollars"
    yield "What the plan has:"
    yield f"- At most {plan.max_nodes} nodes, of which {plan.parallel} run side by side."
    yield (
        f"- {limits.tokens:,} tokens{cost} and {limits.seconds:g} s of work for everything "
        "together, shared out by the size of the nodes."
    )
    if plan.depth > 1:
        yield f"- A large node may be a plan of its own, {plan.depth - 1} more levels deep."
    else:
        yield "- No node is split again."


def _shown(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
