"""Messages of agents that stay to each other: once, and not for ever."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.colleagues.errors import MessageNotTaken, TooManyAttachments, TooManyHops
from activities.store.database import Database
from activities.store.inbox import NewMessage, Posted, Refused, post
from activities.tools.context import AgentContext, ResidentCall
from activities.tools.working_files import working_files
from workflows.definitions.inputs import MAX_INPUTS

# A number may follow, up to the 63 of a name.
_INPUT_NAME_CHARACTERS = 58

_REASONS: Mapping[Refused, str] = {
    Refused.GONE: "it was deleted",
    Refused.TERMINATED: "it is terminated",
    Refused.FULL: "its inbox is full; it has to read what is there first",
    Refused.KEY_TAKEN: "another message was sent by this call",
}


def check_hops(caller: ResidentCall) -> int:
    """The hops of what the agent sends now. Raises ``TooManyHops``."""
    if (hops := caller.hops + 1) > caller.definition.limits.hops:
        raise TooManyHops(hops=caller.hops)
    return hops


async def send(
    database: Database,
    context: AgentContext,
    to: tuple[UUID, str],
    content: str,
    attachments: Mapping[str, str],
) -> Posted:
    """Put a message of the calling agent into an inbox, that of the agent with this id and name.
    However often the call is made, it is there once.

    Raises:
        TooManyHops, MessageNotTaken
    """
    caller, (agent_id, name) = context.caller, to
    message = NewMessage(
        agent_id=agent_id,
        team_id=context.team_id,
        content=content,
        from_agent_id=caller.agent_id,
        from_name=caller.name,
        to_agent_id=agent_id,
        to_name=name,
        attachments=attachments,
        hops=check_hops(caller),
        client_key=f"call:{context.call_id}",
    )
    posted = await post(database, message)
    if isinstance(posted, Refused):
        raise MessageNotTaken(name=name, reason=_REASONS[posted])
    return posted


async def attached(
    database: Database, context: AgentContext, files: Sequence[str]
) -> Mapping[str, str]:
    """References of the agent's files, by names that inputs may have.

    Raises:
        WorkingFileNotFound, TooManyAttachments
    """
    if len(files) > MAX_INPUTS:
        raise TooManyAttachments(most=MAX_INPUTS, number=len(files))
    if not files:
        return {}
    known = await working_files(database, context.task_id, context.team_id)
    given: dict[str, str] = {}
    for each in files:
        found = known.find(each)
        if found.ref not in given.values():
            given[_input_name(found.name, given)] = found.ref
    return given


def _input_name(name: str, taken: Mapping[str, str]) -> str:
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", name.rpartition("/")[2]).strip("-")
    base = (base if re.match("[A-Za-z_]", base) else f"file_{base}")[:_INPUT_NAME_CHARACTERS]
    number, free = 1, base
    while free in taken:
        number += 1
        free = f"{base}_{number}"
    return free
