"""Conversations with agents that stay: what was said, what happens now, and what is said next."""

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from urllib.parse import quote
from uuid import UUID

from api.client.agent_events import AgentEvent, never, says_it_is_gone
from api.client.following import follow
from api.client.transport import Params, Transport
from api.wire.agent_requests import AgentRequest, MessageRequest
from api.wire.responses.agents import Agent, AgentMessage, MessagePosted
from api.wire.responses.pages import Page


def _quiet(reason: str) -> None:
    pass


class Conversations:
    """Those that a team has. Every call raises as those of ``Client``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def find(self, name: str) -> Agent | None:
        """The agent of this name."""
        page = await self._transport.call(
            "GET", "/agents", Page[Agent], params={"name": name}, repeatable=True
        )
        return page.items[0] if page.items else None

    async def agent(self, agent_id: UUID) -> Agent:
        return await self._transport.call("GET", f"/agents/{agent_id}", Agent, repeatable=True)

    async def create(self, request: AgentRequest) -> Agent:
        """An answer that is lost on the way makes no second agent."""
        return await self._transport.call(
            "POST",
            "/agents",
            Agent,
            body=request.model_dump_json(by_alias=True, exclude_unset=True).encode(),
            headers={"Idempotency-Key": uuid.uuid4().hex},
            repeatable=True,
        )

    async def events(
        self, agent_id: UUID, *, on_lost: Callable[[str], None] = _quiet
    ) -> AsyncGenerator[AgentEvent, None]:
        """All that happens to an agent from now on, and the answer that it is writing, until it is
        deleted. A lost connection is reopened without a gap."""
        path = f"/agents/{agent_id}/events"
        received = follow(self._transport, path, is_last=says_it_is_gone, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := AgentEvent.read(item)) is not None:
                    yield event

    async def team_events(
        self, *, on_lost: Callable[[str], None] = _quiet
    ) -> AsyncGenerator[AgentEvent, None]:
        """The agents that change, without end. After ``resync`` the caller lists them anew."""
        received = follow(self._transport, "/agents/events", is_last=never, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := AgentEvent.read(item)) is not None:
                    yield event

    async def messages(self, agent_id: UUID, params: Params | None = None) -> Page[AgentMessage]:
        """A page of what was said, in order: the last one first of all, then what was before."""
        path = f"/agents/{agent_id}/messages"
        return await self._transport.call(
            "GET", path, Page[AgentMessage], params=params, repeatable=True
        )

    async def post(self, agent_id: UUID, content: str) -> MessagePosted:
        """Say something. An answer that is lost on the way makes no second message."""
        return await self._transport.call(
            "POST",
            f"/agents/{agent_id}/messages",
            MessagePosted,
            body=MessageRequest(content=content).model_dump_json(exclude_unset=True).encode(),
            headers={"Idempotency-Key": uuid.uuid4().hex},
            repeatable=True,
        )

    async def act(self, agent_id: UUID, verb: str) -> Agent:
        """``interrupt``, ``pause``, ``resume`` or ``restart``."""
        return await self._transport.call(
            "POST", f"/agents/{agent_id}/{quote(verb, safe='')}", Agent
        )
