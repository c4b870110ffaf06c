"""The calls of what holds for a team."""

from api.client.calls import Calls
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.responses.audit import AuditEntry
from api.wire.responses.housekeeping import HousekeepingView
from api.wire.responses.limits import LimitList
from api.wire.responses.pages import Page
from api.wire.responses.usage import TeamUsage


class TeamCalls(Calls):
    """Part of ``Client``."""

    async def housekeeping(self) -> HousekeepingView:
        """How long things are kept, and what was removed."""
        return await self._get("/housekeeping", HousekeepingView)

    async def audit(self, /, params: Params | None = None, **filters: Filter) -> Page[AuditEntry]:
        """A page of what people did, the newest first. ``params``: the query of ``GET /audit``."""
        return await self._get("/audit", Page[AuditEntry], queried(params, filters))

    async def usage(self) -> TeamUsage:
        """What the team's agents used of models by day."""
        return await self._get("/usage", TeamUsage)

    async def limits(self) -> LimitList:
        return await self._get("/limits", LimitList)
