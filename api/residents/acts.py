"""What people do to an agent that stays: pause, resume, restart, interrupt, terminate, delete.

All but an interruption is written down first, and then its workflow is told: what Temporal does
not hear of now, it hears of later (``pauses``, ``teller``, and the sweeper for an end). An
interruption is of the answer that is given at that moment, and of no other, so it is refused when
it is not heard.
"""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import structlog

from activities.store import audit, residents
from activities.store.audit import Actor, Deed
from activities.store.reading.residents import StoredResident, last_in_exchange
from activities.store.resident_trees import terminate_tree
from activities.store.residents import Acted
from api.residents.errors import AgentConflict
from api.residents.lookup import load_agent, no_agent
from api.residents.telling import Word, tell_soon
from api.services import Services
from workflows.errors import TemporaryFailure
from workflows.resident_contracts import INTERRUPT
from workflows.resident_states import AgentAct, ChildrenFate, is_legal, why_not
from workflows.states import AgentState

_CANCELLED_AT_ONCE = 16

_DONE = {
    AgentAct.MESSAGE: "told anything",
    AgentAct.INTERRUPT: "interrupted",
    AgentAct.PAUSE: "paused",
    AgentAct.RESUME: "resumed",
    AgentAct.RESTART: "restarted",
    AgentAct.CHANGE: "changed",
    AgentAct.TERMINATE: "terminated",
    AgentAct.DELETE: "deleted",
}

log = structlog.get_logger(__name__)


async def pause(services: Services, actor: Actor, agent_id: UUID) -> StoredResident:
    """Let it rest before its next turn of the model, and read nothing meanwhile.

    Raises:
        NotFound, AgentConflict
    """
    acted = await residents.pause_resident(services.database, actor, agent_id)
    _check(acted, agent_id, AgentAct.PAUSE)
    await _reaches(services, agent_id, "pause")
    return await load_agent(services, actor.team_id, agent_id)


async def resume(services: Services, actor: Actor, agent_id: UUID) -> StoredResident:
    """Let it go on, and read what has come meanwhile.

    Raises:
        NotFound, AgentConflict
    """
    acted = await residents.resume_resident(services.database, actor, agent_id)
    _check(acted, agent_id, AgentAct.RESUME)
    if not await _reaches(services, agent_id, "resume"):
        return await load_agent(services, actor.team_id, agent_id)
    return await _woken(services, actor, agent_id)


async def restart(
    services: Services, actor: Actor, agent_id: UUID, *, skip: bool
) -> StoredResident:
    """Let an agent whose last turn ended badly go on.

    Raises:
        NotFound, AgentConflict
    """
    acted = await residents.restart_resident(services.database, actor, agent_id, skip=skip)
    _check(acted, agent_id, AgentAct.RESTART)
    return await _woken(services, actor, agent_id)


async def interrupt(services: Services, actor: Actor, agent_id: UUID) -> StoredResident:
    """Cut the answer short that it is giving. What it has said of it so far is kept.

    Raises:
        NotFound, AgentConflict, TemporaryFailure
    """
    found = await load_agent(services, actor.team_id, agent_id)
    if not is_legal(AgentAct.INTERRUPT, found.state):
        raise _conflict(found.name, AgentAct.INTERRUPT, found.state)
    through = await last_in_exchange(services.database, agent_id)
    is_heard = through is not None and await services.temporal.conversations.signal(
        agent_id, INTERRUPT, [through + 1]
    )
    if not is_heard:
        reason = why_not(AgentAct.INTERRUPT, AgentState.IDLE)
        raise AgentConflict(name=found.name, done=_DONE[AgentAct.INTERRUPT], reason=reason)
    deed = Deed("agent.interrupted", str(agent_id))
    await audit.record(services.database, actor, deed, once=f"{agent_id} {found.task_id}")
    return await load_agent(services, actor.team_id, agent_id)


async def terminate(
    services: Services, actor: Actor, agent_id: UUID, children: ChildrenFate
) -> StoredResident:
    """End an agent for good, and what it does.

    Raises:
        NotFound, AgentConflict
    """
    ended = await terminate_tree(services.database, actor, agent_id, children=children)
    if ended is None:
        raise no_agent(agent_id)
    if ended.reason is not None:
        done = _DONE[AgentAct.TERMINATE]
        raise AgentConflict(name=ended.agent.name, done=done, reason=ended.reason)
    if not ended.ids:
        raise _conflict(ended.agent.name, AgentAct.TERMINATE, ended.agent.state)
    await cancel_all(services, ended.ids)
    return await load_agent(services, actor.team_id, agent_id)


async def delete(services: Services, actor: Actor, agent_id: UUID) -> None:
    """Delete an agent that is terminated, with all that it was told.

    Raises:
        NotFound, AgentConflict
    """
    acted = await residents.delete_resident(services.database, actor, agent_id)
    _check(acted, agent_id, AgentAct.DELETE)


async def cancel_all(services: Services, agent_ids: Iterable[UUID]) -> None:
    """Stop what terminated agents do. Whom Temporal does not hear of now, it hears of later."""
    places = asyncio.Semaphore(_CANCELLED_AT_ONCE)

    async def cancel(agent_id: UUID) -> None:
        async with places:
            try:
                await services.temporal.conversations.cancel(agent_id)
            except TemporaryFailure as failure:
                log.warning("agent.not_cancelled", agent_id=str(agent_id), reason=str(failure))

    await asyncio.gather(*map(cancel, agent_ids))


def _check(acted: Acted | None, agent_id: UUID, act: AgentAct) -> None:
    if acted is None:
        raise no_agent(agent_id)
    if not acted.is_done:
        raise _conflict(acted.agent.name, act, acted.agent.state)


def _conflict(name: str, act: AgentAct, state: AgentState) -> AgentConflict:
    return AgentConflict(name=name, done=_DONE[act], reason=why_not(act, state))


async def _reaches(services: Services, agent_id: UUID, signal: str) -> bool:
    """Whether Temporal has heard of it. One that answers nobody need not: it asks its row first."""
    try:
        await services.temporal.conversations.signal(agent_id, signal)
    except TemporaryFailure as failure:
        log.warning("agent.not_signalled", agent_id=str(agent_id), reason=str(failure))
        return False
    return True


async def _woken(services: Services, actor: Actor, agent_id: UUID) -> StoredResident:
    """Have it look for what is unread."""
    found = await load_agent(services, actor.team_id, agent_id)
    if found.unread:
        await tell_soon(services, Word(found.id, found.team_id, found.name, found.message_seq))
    return found
