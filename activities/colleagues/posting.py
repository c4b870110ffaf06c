"""Messages of agents that stay to each other: once, and not for ever."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from activities.colleagues.errors import MessageNotTaken, TooManyAttachments, TooManyHops
from activities.store.database import Database
from activities.store.inbox import NewMessage, Posted, Refused, post
from activities.store.reading.callers import ResidentCall
from activities.tools.context import AgentContext
from activities.tools.working_files import working_files
from workflows.definitions.inputs import MAX_INPUTS

_REASONS: Mapping[Refused, str] = {
    Refused.GONE: "it was deleted",
    Refused.TERMINATED: "it is terminated",
    Refused.FULL: "its inbox is full; it has to read what is there first",
    Refused.KEY_TAKEN: "another message was sent by this call",
    Refused.WITHDRAWN: "it was withdrawn",
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
    """References of the agent's files, by their names.

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
            given[_free_name(found.name, given)] = found.ref
    return given


def _free_name(name: str, taken: Mapping[str, str]) -> str:
    """The name of a file without its folder, with a number where another one has it."""
    plain = name.rpartition("/")[2]
    stem, dot, suffix = plain.partition(".")
    number, free = 1, plain
    while free in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    return free
