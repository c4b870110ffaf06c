"""Waiting for what an agent that stays replies, for however long that takes."""

import asyncio
import uuid
from dataclasses import dataclass
from math import ceil

from api.cli.errors import NoReply, ReplyTimedOut
from api.client import AsyncClient as Client
from api.wire.agent_requests import MAX_WAIT_SECONDS, MessageRequest
from api.wire.responses.agents import MessageSent
from workflows.states import AgentState

# Where the server does not wait, as it would for a message that nobody has taken.
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of which the reply is waited for, ``timeout`` seconds at most."""

    agent_id: str
    request: MessageRequest
    key: str | None
    timeout: float | None


async def send_and_wait(client: Client, wanted: Reply) -> MessageSent:
    """Send a message again and again, under one key, until its reply is there.

    Raises:
        NoReply: none will come until somebody does something.
        ReplyTimedOut
    """
    key = uuid.uuid4().hex if wanted.key is None else wanted.key
    clock = asyncio.get_running_loop().time
    until = None if wanted.timeout is None else clock() + wanted.timeout
    while True:
        left = MAX_WAIT_SECONDS if until is None else max(0.0, until - clock())
        sent = await client.agents.send(
            wanted.agent_id,
            wanted.request,
            wait_seconds=min(MAX_WAIT_SECONDS, ceil(left)),
            idempotency_key=key,
        )
        if sent.reply is not None:
            return sent
        agent = await client.agents.show(wanted.agent_id)
        if agent.state in (AgentState.ERROR, AgentState.TERMINATED):
            why = f" ({agent.error.get('message')})" if agent.error else ""
            raise NoReply(name=agent.name, state=agent.state.value, why=why)
        if until is not None and clock() >= until:
            raise ReplyTimedOut(name=agent.name, seconds=wanted.timeout)
        await asyncio.sleep(_PAUSE_SECONDS)
