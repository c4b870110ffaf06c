"""Messages to agents that stay: written down first, then the agent is told."""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from activities.inputs.errors import InputsGone
from activities.residents.checking import at_attachments, problems_with_attachments
from activities.store import inbox
from activities.store.audit import Actor
from activities.store.inbox import MAX_UNREAD, NewMessage, Posted, Refused
from activities.store.inbox_withdrawal import Withdrawn, withdraw
from activities.store.reading.inbox import Answering, answering, find_message, is_written
from activities.store.reading.residents import StoredResident
from api.errors import IdempotencyConflict, InvalidRequest, NotFound
from api.http.notifications import Notifications
from api.residents.defining import digest_of
from api.residents.errors import AgentConflict, InboxFull, MessageTaken, MessageWithdrawn
from api.residents.lookup import load_agent, no_agent
from api.residents.telling import Word, tell_soon
from api.services import Services
from api.wire.agent_requests import MessageRequest
from workflows.pointers import Problem
from workflows.resident_states import AgentAct, why_not
from workflows.states import AgentState, MessageMode

# While an agent works its bell rings all the time, and hundreds may wait for it.
_LEAST_PAUSE_SECONDS = 0.05
# A notification may be lost.
_LONGEST_PAUSE_SECONDS = 5.0

# Keys of clients are told apart from those of our own.
_CLIENT = "client:"

_NOT_WITHDRAWN: Final = {
    Withdrawn.READ: "the agent has begun to read it",
    Withdrawn.OF_GROUP: "it was written to a group, whose members have all got it",
    Withdrawn.NO_MESSAGE: "it is no message to the agent, but a reply or a notice",
}


@dataclass(frozen=True, slots=True)
class Sent:
    agent_id: UUID
    posted: Posted


async def send(
    services: Services, actor: Actor, agent_id: UUID, request: MessageRequest, key: str | None
) -> Sent:
    """Post a message. It will be read, even if Temporal cannot be reached right now; a repeat with
    the same key changes nothing.

    Raises:
        NotFound: there is no such agent, or none that writes.
        InvalidRequest: with everything that is wrong.
        AgentConflict: it is terminated, or the one that writes is.
        IdempotencyConflict: the key was used for another message.
        InboxFull, MessageWithdrawn
    """
    posted = await _post(services, actor, agent_id, request, key)
    interrupts = request.mode is MessageMode.INTERRUPT
    # An answer may take days, and Temporal keeps no more than some thousand signals of a workflow.
    if posted.is_new and (interrupts or not posted.is_answering):
        word = Word(agent_id, actor.team_id, posted.name, posted.seq, interrupts, posted.is_awake)
        await tell_soon(services, word)
    return Sent(agent_id, posted)


async def look_for_answer(services: Services, sent: Sent) -> Answering | None:
    """How far the answer to a repeated message is; None for one that is new."""
    if sent.posted.is_new:
        return None
    return await answering(services.database, sent.agent_id, sent.posted.id)


async def wait_for_answer(
    services: Services, bells: Notifications, sent: Sent, seconds: float
) -> Answering | None:
    """How far the answer is when there is one, or none will come, or after so many seconds. None
    when the message was withdrawn."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    with bells.listening(sent.agent_id) as bell:
        while True:
            found = await answering(services.database, sent.agent_id, sent.posted.id)
            left = until - clock()
            if found is None or found.reply or found.is_over or left <= 0 or bells.closing:
                return found
            await asyncio.sleep(min(left, _LEAST_PAUSE_SECONDS))
            await bell.wait(max(0.0, min(until - clock(), _LONGEST_PAUSE_SECONDS)))


async def take_back(services: Services, actor: Actor, agent_id: UUID, message_id: UUID) -> None:
    """Withdraw a message that is not read.

    Raises:
        NotFound, MessageTaken
    """
    await load_agent(services, actor.team_id, agent_id)
    found = await find_message(services.database, agent_id, message_id)
    done = await withdraw(services.database, actor, agent_id, message_id)
    if found is None or done is Withdrawn.GONE:
        raise no_message(message_id)
    if done is not Withdrawn.DONE:
        raise MessageTaken(seq=found.seq, reason=_NOT_WITHDRAWN[done])


def no_message(message_id: UUID) -> NotFound:
    return NotFound(kind="message", id=message_id)


async def _post(
    services: Services, actor: Actor, agent_id: UUID, request: MessageRequest, key: str | None
) -> Posted:
    digest = None if key is None else digest_of(request)
    client_key = None if key is None else _CLIENT + key
    message = NewMessage(
        agent_id=agent_id,
        team_id=actor.team_id,
        content=request.content,
        from_agent_id=request.sender,
        from_name=await _check(services, actor, agent_id, request, client_key),
        to_agent_id=agent_id,
        attachments=request.attachments,
        mode=request.mode,
        tells=True,
        client_key=client_key,
        request_digest=digest,
    )
    try:
        written = await inbox.post(services.database, message)
    except InputsGone as gone:
        raise InvalidRequest(at_attachments(gone.problems)) from gone
    if isinstance(written, Posted):
        return written
    # Why is told at leisure: what is accepted costs no look at the agent.
    agent = await load_agent(services, actor.team_id, agent_id)
    raise _refusal(written, agent, key)


async def _check(
    services: Services,
    actor: Actor,
    agent_id: UUID,
    request: MessageRequest,
    client_key: str | None,
) -> str:
    """The name of who writes. Raises what ``send`` does."""
    person = actor.name.partition(" (ak_")[0]  # As a person has called the key.
    if request.sender is None and not request.attachments:
        return person
    await load_agent(services, actor.team_id, agent_id)
    # What was fine when it was accepted may be gone now: that makes no repeat wrong.
    if client_key is not None and await is_written(services.database, agent_id, client_key):
        return ""
    name = await _writer(services, actor, agent_id, request.sender) or person
    problems = await problems_with_attachments(
        services.installed, actor.team_id, request.attachments
    )
    if problems:
        raise InvalidRequest(problems)
    return name


async def _writer(
    services: Services, actor: Actor, agent_id: UUID, sender: UUID | None
) -> str | None:
    """The name of the agent that writes, where it is one. Raises what ``send`` does."""
    if sender is None:
        return None
    if sender == agent_id:
        raise InvalidRequest([Problem("/from", "an agent does not write to itself")])
    writer = await load_agent(services, actor.team_id, sender)
    if writer.state is AgentState.TERMINATED:
        reason = why_not(AgentAct.MESSAGE, writer.state)
        raise AgentConflict(name=writer.name, done="the one that writes", reason=reason)
    return writer.name


def _refusal(refused: Refused, agent: StoredResident, key: str | None) -> Exception:
    match refused:
        case Refused.GONE:
            return no_agent(agent.id)
        case Refused.FULL:
            return InboxFull(name=agent.name, most=MAX_UNREAD)
        case Refused.KEY_TAKEN:
            return IdempotencyConflict(key=key)
        case Refused.WITHDRAWN:
            return MessageWithdrawn()
        case Refused.TERMINATED:
            reason = why_not(AgentAct.MESSAGE, AgentState.TERMINATED)
            return AgentConflict(name=agent.name, done="told anything", reason=reason)
