"""The tool ``list_agents``."""

import json

from activities.store.reading.callers import ResidentCall
from activities.store.reading.colleagues import Colleague, list_colleagues
from activities.tools.context import AgentContext
from activities.tools.registry import tool

MAX_AGENTS = 100


@tool(is_retry_safe=True, is_for_residents=True, reads="data")
async def list_agents(context: AgentContext) -> str:
    """List the agents of your team as JSON: you, who created you, those that you have created, then
    the others. Each has its name, role, state, and what it is to you."""
    caller, database = context.caller, context.equipment.database
    found, in_all = await list_colleagues(database, context.team_id, caller.agent_id, MAX_AGENTS)
    listed = [
        {
            "name": each.name,
            "role": each.role or None,
            "state": each.state,
            "is": _relation(each, caller),
        }
        for each in found
    ]
    text = json.dumps(listed, ensure_ascii=False)
    more = in_all - len(found)
    return f"{text}\n{more} more agents are not listed." if more else text


def _relation(agent: Colleague, caller: ResidentCall) -> str:
    if agent.id == caller.agent_id:
        return "you"
    if agent.id == caller.parent_id:
        return "your parent"
    return "your child" if agent.parent_id == caller.agent_id else "of your team"
