"""The tool ``create_agent``."""

from typing import Annotated
from uuid import uuid5

from pydantic import Field

from activities.colleagues.children import child_of
from activities.colleagues.posting import attached, check_hops, send
from activities.residents.creating import create_child
from activities.store.audit import Actor
from activities.store.new_residents import NewResident
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.agent import Names, Profile
from workflows.definitions.resident_name import AgentName
from workflows.definitions.task_request import MAX_PROMPT_CHARACTERS


@tool(is_retry_safe=True, is_for_residents=True)
async def create_agent(
    context: AgentContext,
    *,
    name: AgentName,
    instructions: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_PROMPT_CHARACTERS,
            pattern=r"\S",
            description="your first message to it: what it is to do, with all it needs to know",
        ),
    ],
    role: Annotated[str | None, Field(max_length=1_000)] = None,
    goal: Annotated[str | None, Field(max_length=4_000)] = None,
    skills: Annotated[Names | None, Field(description="by default all that you have")] = None,
    tools: Annotated[Names | None, Field(description="by default all that you have")] = None,
    attachments: Annotated[
        list[str], Field(max_length=64, description="names of your files that it is to have")
    ] = [],  # noqa: B006  (pydantic copies it)
    model: Annotated[str | None, Field(min_length=1, max_length=200)] = None,
) -> str:
    """Create an agent that works for you and stays until it is terminated.

    It begins at once. Its answers come to you as messages: do not wait for them. To tell it more,
    use send_message. Terminate it when you do not need it any more.
    """
    caller, equipment = context.caller, context.equipment
    check_hops(caller)
    profile = Profile(name=name, role=role, goal=goal, tone=caller.definition.profile.tone)
    child = child_of(caller.definition, profile, skills, tools, model)
    files = await attached(equipment.database, context, attachments)
    new = NewResident(
        id=uuid5(context.call_id, "agent"),
        name=name,
        definition=child.model_dump(mode="json", exclude_defaults=True),
        parent_id=caller.agent_id,
    )
    actor = Actor(context.team_id, f"agent {caller.name}")
    most = equipment.residents.most
    agent_id = await create_child(equipment.installed, actor, new, most=most)
    await send(equipment.database, context, (agent_id, name), instructions, files)
    return f"Agent {name} was created and has your instructions. Its id: {agent_id}"
