"""Messages to agents that stay, and their replies."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store.reading.inbox import Answering, find_message, list_inbox
from api.errors import IdempotencyConflict, TooManyViewers
from api.http.bodies import Body
from api.http.dependencies import (
    ActorDep,
    NotificationsDep,
    ServicesDep,
    TeamDep,
    ViewersDep,
)
from api.http.idempotency import IdempotencyKey
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, parse_number
from api.http.routes.agents import ONE
from api.http.routing import Routes
from api.residents import messaging
from api.residents.errors import AgentConflict, InboxFull, MessageTaken, MessageWithdrawn
from api.residents.lookup import load_agent
from api.residents.views import show_message
from api.wire.agent_requests import MAX_WAIT_SECONDS, MessageRequest
from api.wire.responses.agents import (
    AgentMessage,
    MessageAnswered,
    MessagePosted,
    MessageStatus,
)
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(prefix="/agents", tags=["agents"])

_MESSAGES = f"{ONE}/messages"

Wait = Annotated[
    int | None,
    Query(ge=0, le=MAX_WAIT_SECONDS, description="how many seconds to wait for the reply"),
]


@router.post(
    _MESSAGES,
    status_code=202,
    responses={
        **refusals(AgentConflict, IdempotencyConflict, InboxFull, MessageWithdrawn, TooManyViewers),
        200: {"model": MessageAnswered},
    },
    operation_id="sendAgentMessage",
)
async def send_message(  # noqa: PLR0917  (what FastAPI gives)
    agent_id: UUID,
    response: Response,
    services: ServicesDep,
    actor: ActorDep,
    notifications: NotificationsDep,
    viewers: ViewersDep,
    wanted: Annotated[MessageRequest, Depends(Body(MessageRequest))],
    idempotency_key: IdempotencyKey = None,
    wait: Wait = None,
) -> MessageAnswered | MessagePosted:
    """Write to an agent. Once accepted, it will be read, even if Temporal cannot be reached right
    now. With ``wait`` the answer is 200 with the ``reply`` if that comes in time."""
    if not wait:
        sent = await messaging.send(services, actor, agent_id, wanted, idempotency_key)
        found = await messaging.look_for_answer(services, sent)
        return MessagePosted(**_posted(sent, found))
    with viewers.admitted(actor.team_id):  # Before anything is written.
        sent = await messaging.send(services, actor, agent_id, wanted, idempotency_key)
        found = await messaging.wait_for_answer(services, notifications, sent, wait)
    if found is None or found.reply is None:
        return MessagePosted(**_posted(sent, found))
    response.status_code = 200
    agent = await load_agent(services, actor.team_id, agent_id)
    return MessageAnswered(**_posted(sent, found), reply=show_message(found.reply, agent.name))


@router.get(_MESSAGES, operation_id="listAgentMessages")
async def list_messages(
    agent_id: UUID,
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[AgentMessage]:
    """List messages and replies in their order, the last ones first of all: the next page is what
    was before them."""
    before = None if cursor is None else parse_number(cursor)
    agent = await load_agent(services, team_id, agent_id, fresh=False)
    items, following = await list_inbox(services.database, agent.id, before, limit)
    shown = [show_message(item, agent.name) for item in items]
    return Page(items=shown, next_cursor=None if following is None else str(following))


@router.get(f"{_MESSAGES}/{{message_id}}", operation_id="getAgentMessage")
async def get_message(
    agent_id: UUID, message_id: UUID, services: ServicesDep, team_id: TeamDep
) -> AgentMessage:
    """Show a message or a reply."""
    agent = await load_agent(services, team_id, agent_id, fresh=False)
    found = await find_message(services.database, agent.id, message_id)
    if found is None:
        raise messaging.no_message(message_id)
    return show_message(found, agent.name)


@router.delete(
    f"{_MESSAGES}/{{message_id}}",
    status_code=204,
    responses=refusals(MessageTaken),
    operation_id="withdrawAgentMessage",
)
async def withdraw_message(
    agent_id: UUID, message_id: UUID, services: ServicesDep, actor: ActorDep
) -> None:
    """Withdraw a message that the agent has not begun to read."""
    await messaging.take_back(services, actor, agent_id, message_id)


def _posted(sent: messaging.Sent, found: Answering | None) -> dict[str, Any]:
    is_read = found is not None and found.is_read
    status = MessageStatus.READ if is_read else MessageStatus.UNREAD
    return {"id": sent.posted.id, "seq": sent.posted.seq, "status": status}
