"""What the agents of a plan can do, as far as it is told without a worker."""

from uuid import UUID

from activities.kinds.base import Installed
from activities.llm.base import ModelOptions
from activities.plans.ability import Ability
from activities.store.mcp_tools import callable_tools
from activities.store.tools import tool_settings
from activities.tools.mcp.team_tools import offered_tool
from activities.tools.offered import allowed_tools, native_tools
from activities.tools.skills import AllowedSkills
from workflows.definitions.agent import Agent


async def registered_ability(installed: Installed, team_id: UUID, agent: Agent) -> Ability:
    """That of an agent of a team, by what is installed and registered.

    Whether there is a provider of web search only a worker knows: here it is taken for granted.
    """
    settings = await tool_settings(installed.database, team_id)
    servers = await callable_tools(installed.database, team_id)
    active = native_tools(installed.tools, settings) | {
        tool.name: offered_tool(tool) for tool in servers
    }
    skills = await AllowedSkills(installed.catalogue, agent.skills).all()
    context_tokens = (installed.models or ModelOptions()).context_tokens
    return Ability.of(allowed_tools(active, agent, has_search=True), skills, context_tokens)
