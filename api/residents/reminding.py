"""Puts reminders into the inboxes of agents that stay when they are due."""

from uuid import UUID

from activities.store.reminders import remind
from api.passes import Passes
from api.services import Services

INTERVAL_SECONDS = 0.5
PASS_TIMEOUT_SECONDS = 30.0
REMINDED_AT_ONCE = 100


class Reminding:
    """Any number of APIs may run one: each reminder comes once."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def passes(self) -> Passes:
        return Passes("reminders", self.remind, INTERVAL_SECONDS, PASS_TIMEOUT_SECONDS)

    async def remind(self) -> None:
        """One pass. Raises ``TemporaryFailure`` when the database cannot be reached."""
        if not (await self._services.looks.look()).reminders:
            return
        full = frozenset[UUID]()
        while True:
            done = await remind(self._services.database, most=REMINDED_AT_ONCE, besides=full)
            full |= done.full
            if done.agents < REMINDED_AT_ONCE:
                return
