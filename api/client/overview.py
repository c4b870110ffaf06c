"""How things stand: of the server, and of all that is under way."""

from api.client.calls import Calls
from api.client.connected import Connected
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.responses.about import About
from api.wire.responses.approvals import WaitingCall
from api.wire.responses.counts import TaskCounts
from api.wire.responses.health import Readiness
from api.wire.responses.pages import Page


class Overview(Calls):
    """``client.overview``."""

    async def about(self) -> About:
        """The server's version, and as whom it knows you."""
        return await self._get("/about", About)

    async def readiness(self) -> Readiness:
        """Whether what the server depends on answers. It says so once, also when that is no."""
        return await self._transport.ask("/readyz", Readiness)

    async def counts(self) -> TaskCounts:
        """How many tasks run, wait, try again or ended badly."""
        return await self._get("/counts", TaskCounts)

    async def waiting(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[WaitingCall]:
        """A page of all calls that wait for a person, the oldest first."""
        return await self._get("/approvals", Page[WaitingCall], queried(params, filters))


class OverviewClient(Connected, Overview):
    """A client with these calls alone, which takes a sixth of the time to load."""
