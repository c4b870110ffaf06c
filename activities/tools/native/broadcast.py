"""The tool ``broadcast``."""

from typing import Annotated
from uuid import uuid5

from pydantic import Field

from activities.colleagues.posting import attached, check_hops
from activities.groups.errors import GroupNotFound, OwnDiscussion
from activities.store.group_messages import NewGroupMessage, PostedToGroup, post_to_group
from activities.store.reading.groups import groups_of
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.group import MAX_GROUP_CONTENT_CHARACTERS, MAX_GROUP_NAME_CHARACTERS
from workflows.suggestions import nearest

MAX_ATTACHMENTS = 64
_NAMES_SHOWN = 20


@tool(is_retry_safe=True, is_for_residents=True)
async def broadcast(
    context: AgentContext,
    group: Annotated[
        str, Field(min_length=1, max_length=MAX_GROUP_NAME_CHARACTERS, description="name or id")
    ],
    content: Annotated[
        str, Field(min_length=1, max_length=MAX_GROUP_CONTENT_CHARACTERS, pattern=r"\S")
    ],
    attachments: Annotated[
        list[str], Field(max_length=MAX_ATTACHMENTS, description="names of your files")
    ] = [],  # noqa: B006  (pydantic copies it)
) -> str:
    """Say something to all members of a group that you are in. It begins a discussion, and ends the
    one that goes on.

    What they answer comes to you as messages later: do not wait for it. What you answer to a
    message of a group is said to its members without this tool.
    """
    caller, database = context.caller, context.equipment.database
    hops = check_hops(caller)
    known = await groups_of(database, caller.agent_id)
    found = next((each for each in known if group.strip() in (each.name, str(each.id))), None)
    if found is None:
        names = [each.name for each in known]
        near = nearest(group, names)
        shown = ", ".join(names[:_NAMES_SHOWN]) or "none; create_group makes one"
        raise GroupNotFound(
            name=group, hint=f"Did you mean {near!r}?" if near else f"You are in: {shown}."
        )
    if found.id == caller.group_id:
        raise OwnDiscussion(name=found.name)
    message = NewGroupMessage(
        group_id=found.id,
        team_id=context.team_id,
        id=uuid5(context.call_id, "broadcast"),
        content=content,
        from_agent_id=caller.agent_id,
        from_name=caller.name,
        attachments=await attached(database, context, attachments),
        hops=hops,
        client_key=f"call:{context.call_id}",
    )
    posted = await post_to_group(database, message)
    if not isinstance(posted, PostedToGroup):
        raise GroupNotFound(name=group, hint="It was deleted, or you are not in it any more.")
    return f"It was said in group {found.name}."
