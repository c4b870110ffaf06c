"""The tool ``terminate_agent``."""

from typing import Annotated, Literal

from pydantic import Field

from activities.colleagues.errors import ChildrenNotTaken, NotYourChild
from activities.colleagues.finding import find
from activities.colleagues.stopping import stop_workflows
from activities.store.audit import Actor
from activities.store.resident_trees import terminate_tree
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.resident_states import ChildrenFate


@tool(is_retry_safe=True, is_for_residents=True)
async def terminate_agent(
    context: AgentContext,
    name: Annotated[str, Field(min_length=1, max_length=200, description="its name or id")],
    children: Annotated[
        Literal["terminate", "hand_over"],
        Field(description="what becomes of those that it has created: they end, or become yours"),
    ] = "terminate",
) -> str:
    """Terminate an agent that you have created, for good. What it does is stopped."""
    caller, database = context.caller, context.equipment.database
    agent = await find(database, context.team_id, caller.agent_id, name)
    if agent.parent_id != caller.agent_id:
        raise NotYourChild(name=agent.name)
    actor = Actor(context.team_id, f"agent {caller.name}")
    ended = await terminate_tree(database, actor, agent.id, children=ChildrenFate(children))
    if ended is not None and ended.reason is not None:
        raise ChildrenNotTaken(name=agent.name, reason=ended.reason)
    if ended is None or not ended.ids:
        # The first call may have been lost between the rows and the workflows.
        await stop_workflows(() if ended is None else ended.before)
        return f"Agent {agent.name} is terminated already."
    await stop_workflows(ended.ids)
    below = len(ended.ids) - 1
    return f"Agent {agent.name} is terminated" + (f", and {below} below it." if below else ".")
