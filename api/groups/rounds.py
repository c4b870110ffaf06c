"""Keeps discussions in groups going: a round does not wait for members that cannot answer."""

import structlog

from activities.store.group_turns import miss_turns
from api.passes import Passes
from api.services import Services

PASS_TIMEOUT_SECONDS = 30.0
# More are for the next pass.
_GROUPS_A_PASS = 100

log = structlog.get_logger(__name__)


class Rounds:
    """Any number of APIs may run one: each group is locked while one of them goes on with it."""

    def __init__(self, services: Services) -> None:
        self._database, self._looks = services.database, services.looks
        self.passes = Passes(
            "groups", self.go_on, services.options.group_interval_seconds, PASS_TIMEOUT_SECONDS
        )

    async def go_on(self) -> None:
        """One pass. Raises ``TemporaryFailure`` when the database cannot be reached."""
        if not (await self._looks.look()).groups:
            return
        for _ in range(_GROUPS_A_PASS):
            if not await miss_turns(self._database):
                return
            log.info("groups.went_on")
