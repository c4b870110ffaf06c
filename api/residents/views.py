"""Agents that stay and their messages, of the store, as the answers of the API."""

from activities.store.reading.inbox import StoredInboxMessage
from activities.store.reading.residents import StoredResident
from api.services import Services
from api.wire.responses.agents import (
    SYSTEM,
    USER,
    Agent,
    AgentLimits,
    AgentLinks,
    AgentMessage,
    AgentProfile,
    MessageStatus,
)
from api.wire.responses.base import API
from workflows.states import InboxKind


def show_agent(services: Services, found: StoredResident) -> Agent:
    definition = found.definition
    return Agent(
        id=found.id,
        name=found.name,
        state=found.state,
        waits_for=found.waits_for,
        profile=_profile(found),
        skills=None if definition.skills is None else [*definition.skills],
        tools=None if definition.tools is None else [*definition.tools],
        model=definition.model,
        limits=AgentLimits(**definition.limits.model_dump()),
        template=found.template,
        parent_id=found.parent_id,
        depth=found.depth,
        unread=found.unread,
        last_activity_at=found.last_activity_at,
        tokens=found.tokens,
        cost_usd=found.cost_usd,
        tokens_today=found.tokens_today,
        cost_today_usd=found.cost_today_usd,
        task_id=found.task_id,
        error=found.error and found.error.model_dump(exclude_none=True),
        created_at=found.created_at,
        links=_links(services, found),
    )


def _profile(found: StoredResident) -> AgentProfile:
    """It speaks under its own name, unless its profile has another one."""
    profile = found.definition.profile
    own = {} if "name" in profile.model_fields_set else {"name": found.name}
    return AgentProfile(**{**profile.model_dump(), **own})


def show_message(message: StoredInboxMessage, name: str) -> AgentMessage:
    """``name`` is that of the agent whose inbox it is in."""
    own = str(message.agent_id), name
    if message.kind is InboxKind.REPLY:
        sender = own
        receiver = _party(message.to_agent_id, USER), message.to_name
    else:
        nobody = SYSTEM if message.kind is InboxKind.NOTICE else USER
        sender = _party(message.from_agent_id, nobody), message.from_name
        receiver = own
    return AgentMessage(
        id=message.id,
        seq=message.seq,
        kind=message.kind,
        sender=sender[0],
        from_name=sender[1],
        to=receiver[0],
        to_name=receiver[1],
        content=message.content,
        attachments=dict(message.attachments),
        mode=message.mode,
        status=MessageStatus.READ if message.is_read else MessageStatus.UNREAD,
        reply_to=message.reply_to,
        group_id=message.group_id,
        task_id=message.exchange_id,
        interrupted=message.is_interrupted,
        created_at=message.created_at,
    )


def _party(agent_id: object, nobody: str) -> str:
    return nobody if agent_id is None else str(agent_id)


def agent_url(services: Services, agent_id: object) -> str:
    return f"{services.options.public_url}{API}/agents/{agent_id}"


def _links(services: Services, found: StoredResident) -> AgentLinks:
    this = agent_url(services, found.id)
    return AgentLinks(
        self=this,
        messages=f"{this}/messages",
        events=f"{this}/events",
        children=f"{this}/children",
        tasks=f"{services.options.public_url}{API}/tasks?parent_id={found.id}",
    )
