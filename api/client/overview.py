"""How things stand: of the server, and of all that is under way."""

from api.client.queries import Filter, queried
from api.client.transport import Params, Transport
from api.wire.responses.about import About
from api.wire.responses.approvals import WaitingCall
from api.wire.responses.counts import TaskCounts
from api.wire.responses.health import Readiness
from api.wire.responses.pages import Page


class Overview:
    """``client.overview``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def about(self) -> About:
        """The server's version, and as whom it knows you."""
        return await self._transport.call("GET", "/about", About, repeatable=True)

    async def readiness(self) -> Readiness:
        """Whether what the server depends on answers. It says so once, also when that is no."""
        return await self._transport.ask("/readyz", Readiness)

    async def counts(self) -> TaskCounts:
        """How many tasks run, wait, try again or ended badly."""
        return await self._transport.call("GET", "/counts", TaskCounts, repeatable=True)

    async def waiting(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[WaitingCall]:
        """A page of all calls that wait for a person, the oldest first."""
        return await self._transport.call(
            "GET", "/approvals", Page[WaitingCall], params=queried(params, filters), repeatable=True
        )
