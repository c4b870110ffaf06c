"""The tool ``create_group``."""

from typing import Annotated
from uuid import uuid5

from pydantic import Field

from activities.groups.errors import GroupNotMade
from activities.store import groups
from activities.store.audit import Actor
from activities.store.groups import MAX_GROUPS, NewGroup, UnknownMembers, Unwritten
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.group import (
    DEFAULT_ROUNDS,
    MAX_MEMBERS,
    MAX_ROUNDS,
    GroupLimits,
    GroupName,
)
from workflows.definitions.resident_name import MAX_NAME_CHARACTERS
from workflows.states import GroupMode

Member = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS)]

_REASONS = {
    Unwritten.NAME_TAKEN: "your team has a group of this name; choose another one",
    Unwritten.TOO_MANY: f"your team has {MAX_GROUPS:,} groups, which is the limit",
    Unwritten.TOO_MANY_MEMBERS: f"a group may have {MAX_MEMBERS} members, and you are one of them",
}


@tool(is_retry_safe=True, is_for_residents=True)
async def create_group(
    context: AgentContext,
    name: GroupName,
    members: Annotated[
        list[Member],
        Field(min_length=1, max_length=MAX_MEMBERS, description="names or ids of agents"),
    ],
    rounds: Annotated[
        int, Field(ge=1, le=MAX_ROUNDS, description="how often each may speak in a discussion")
    ] = DEFAULT_ROUNDS,
) -> str:
    """Make a group of agents of your team, in which everybody hears everybody. You are a member.

    Begin a discussion in it with broadcast.
    """
    caller = context.caller
    new = NewGroup(
        id=uuid5(context.call_id, "group"),
        name=name,
        mode=GroupMode.OPEN,
        limits=GroupLimits(rounds=rounds),
        members=[*members, str(caller.agent_id)],
        made_by=caller.agent_id,
    )
    actor = Actor(context.team_id, f"agent {caller.name}")
    trouble = await groups.create_group(context.equipment.database, actor, new)
    if isinstance(trouble, UnknownMembers):
        unknown = ", ".join(trouble.names)
        raise GroupNotMade(reason=f"there are no agents {unknown}; list_agents shows who there is")
    if trouble is not None:
        raise GroupNotMade(reason=_REASONS[trouble])
    return f"The group {name} was made. Begin a discussion in it with broadcast."
