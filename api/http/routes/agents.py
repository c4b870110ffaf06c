"""Agents that stay: create, list, look at, change, and what people do to them."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.residents import ResidentFilter, list_residents
from api.errors import IdempotencyConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.residents import acts, defining
from api.residents.errors import AgentConflict, AgentMoved, AgentNameTaken, AgentRefused
from api.residents.lookup import load_agent
from api.residents.views import agent_url, show_agent
from api.wire.agent_requests import AgentChange, AgentRequest, RestartRequest, TerminateRequest
from api.wire.requests import Text
from api.wire.responses.agents import Agent
from api.wire.responses.pages import DEFAULT_PAGE, Page
from workflows.definitions.resident_name import MAX_NAME_CHARACTERS
from workflows.states import AgentState

router = Routes(prefix="/agents", tags=["agents"])

# `GET /agents/events` is not the agent of that name.
ONE = "/{agent_id:uuid}"

Name = Annotated[Text | None, Query(max_length=MAX_NAME_CHARACTERS)]


@router.post(
    "",
    status_code=201,
    responses=refusals(AgentNameTaken, AgentRefused, IdempotencyConflict),
)
async def create_agent(
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[AgentRequest, Depends(Body(AgentRequest))],
    idempotency_key: IdempotencyKey = None,
) -> Agent:
    """Create an agent that stays. It costs nothing until somebody writes to it."""
    made = await defining.create(services, actor, wanted, idempotency_key)
    response.headers["Location"] = agent_url(services, made.id)
    return show_agent(services, made)


@router.get("")
async def list_agents(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    state: Annotated[tuple[AgentState, ...], Query()] = (),
    text: Name = None,
    name: Name = None,
    parent_id: UUID | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Agent]:
    """List agents, newest first. ``text`` is found anywhere in a name, ``name`` is the whole."""
    wanted = ResidentFilter(state, text, name, parent_id)
    items, following = await list_residents(
        services.database, team_id, wanted, parse_cursor(cursor), limit
    )
    shown = [show_agent(services, item) for item in items]
    return Page(items=shown, next_cursor=cursor_text(following))


@router.get(ONE)
async def get_agent(agent_id: UUID, services: ServicesDep, team_id: TeamDep) -> Agent:
    """Show an agent."""
    return show_agent(services, await load_agent(services, team_id, agent_id, fresh=False))


@router.get(f"{ONE}/children", operation_id="listAgentChildren")
async def list_children(
    agent_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Agent]:
    """List the agents that an agent has made, newest first."""
    await load_agent(services, team_id, agent_id)
    return await list_agents(
        services=services, team_id=team_id, parent_id=agent_id, cursor=cursor, limit=limit
    )


@router.patch(ONE, responses=refusals(AgentConflict, AgentMoved, AgentNameTaken))
async def change_agent(
    agent_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[AgentChange, Depends(Body(AgentChange))],
) -> Agent:
    """Change an agent from its next turn on. What is left out stays as it is."""
    return show_agent(services, await defining.change(services, actor, agent_id, wanted))


@router.delete(ONE, status_code=204, responses=refusals(AgentConflict))
async def delete_agent(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> None:
    """Delete an agent that is terminated."""
    await acts.delete(services, actor, agent_id)


@router.post(f"{ONE}/pause", responses=refusals(AgentConflict))
async def pause_agent(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Agent:
    """Pause an agent before its next turn. Messages wait."""
    return show_agent(services, await acts.pause(services, actor, agent_id))


@router.post(f"{ONE}/resume", responses=refusals(AgentConflict))
async def resume_agent(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Agent:
    """Resume a paused agent."""
    return show_agent(services, await acts.resume(services, actor, agent_id))


@router.post(f"{ONE}/restart", responses=refusals(AgentConflict))
async def restart_agent(
    agent_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[RestartRequest, Depends(Body(RestartRequest, default=RestartRequest()))],
) -> Agent:
    """Restart an agent whose last turn ended badly. It reads the same messages again, or none of
    them."""
    return show_agent(services, await acts.restart(services, actor, agent_id, skip=wanted.skip))


@router.post(f"{ONE}/interrupt", responses=refusals(AgentConflict))
async def interrupt_agent(agent_id: UUID, services: ServicesDep, actor: ActorDep) -> Agent:
    """Cut the answer short that an agent is giving. What it has said so far is its reply."""
    return show_agent(services, await acts.interrupt(services, actor, agent_id))


@router.post(f"{ONE}/terminate", responses=refusals(AgentConflict))
async def terminate_agent(
    agent_id: UUID,
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[
        TerminateRequest, Depends(Body(TerminateRequest, default=TerminateRequest()))
    ],
) -> Agent:
    """End an agent for good, and what it does. Its conversation stays until it is deleted."""
    return show_agent(services, await acts.terminate(services, actor, agent_id, wanted.children))
