"""The tool ``send_message``."""

from typing import Annotated

from pydantic import Field

from activities.colleagues.errors import OwnInbox
from activities.colleagues.finding import find
from activities.colleagues.posting import attached, check_hops, send
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.task_request import MAX_PROMPT_CHARACTERS

MAX_ATTACHMENTS = 64


@tool(is_retry_safe=True, is_for_residents=True)
async def send_message(
    context: AgentContext,
    to: Annotated[str, Field(min_length=1, max_length=200, description="an agent's name or id")],
    content: Annotated[str, Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS, pattern=r"\S")],
    attachments: Annotated[
        list[str], Field(max_length=MAX_ATTACHMENTS, description="names of your files")
    ] = [],  # noqa: B006  (pydantic copies it)
) -> str:
    """Send a message to another agent of your team.

    Its answer comes to you as a message later: do not wait for it. What you answer to whoever wrote
    to you is sent to them without this tool.
    """
    caller, database = context.caller, context.equipment.database
    check_hops(caller)
    agent = await find(database, context.team_id, caller.agent_id, to)
    if agent.id == caller.agent_id:
        raise OwnInbox
    files = await attached(database, context, attachments)
    await send(database, context, (agent.id, agent.name), content, files)
    return f"The message is in the inbox of {agent.name}, which is {agent.state}."
