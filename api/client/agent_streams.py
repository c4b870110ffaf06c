"""The live events of agents that stay, over connections that break."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from api.client.agent_events import AgentEvent, never, says_it_is_gone
from api.client.agent_ids import find_agent_id
from api.client.calls import Id, part
from api.client.following import follow
from api.client.sse import ServerEvent
from api.client.transport import Transport


def _quiet(reason: str) -> None:
    pass


class AgentStreams:
    """``client.agent_events``. They raise as the events of a task do; ``on_lost`` is called with
    the reason when a connection is lost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def of_agent(
        self, agent_id: Id, *, on_lost: Callable[[str], None] = _quiet
    ) -> AsyncGenerator[AgentEvent, None]:
        """All that happens to an agent from now on, and the answer that it is writing, until it is
        deleted. A lost connection is reopened without a gap."""
        path = f"/agents/{part(await find_agent_id(self._transport, agent_id))}/events"
        async with aclosing(self._follow(path, says_it_is_gone, on_lost)) as events:
            async for event in events:
                yield event

    async def of_team(
        self, *, on_lost: Callable[[str], None] = _quiet
    ) -> AsyncGenerator[AgentEvent, None]:
        """The agents that change, without end. After ``resync`` the caller lists them anew."""
        async with aclosing(self._follow("/agents/events", never, on_lost)) as events:
            async for event in events:
                yield event

    async def _follow(
        self,
        path: str,
        is_last: Callable[[ServerEvent], bool],
        on_lost: Callable[[str], None],
    ) -> AsyncGenerator[AgentEvent, None]:
        received = follow(self._transport, path, is_last=is_last, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := AgentEvent.read(item)) is not None:
                    yield event
