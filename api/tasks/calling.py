"""Calls those who wait for a slot that became free by itself: its worker has died, its limit was
raised, or who was told before them does not come. What a worker gives back it tells of itself."""

import asyncio

from activities.store import slots
from api.passes import Passes
from api.services import Services
from workflows.errors import TemporaryFailure

TIMEOUT_SECONDS = 30.0


class Caller:
    """Any number of APIs may do this: who was told is written down under a lock."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.passes = Passes(
            "calls", self._call, services.options.call_interval_seconds, TIMEOUT_SECONDS
        )

    async def _call(self) -> None:
        if not (await self._services.looks.look()).slots:
            return
        limits = await self._services.limits.limits()
        called = await slots.call_next(self._services.database, limits)
        workflows = await slots.workflows_of(self._services.database, called)
        await asyncio.gather(*map(self._tell, workflows))

    async def _tell(self, workflow: str) -> None:
        try:
            await self._services.temporal.tell_to_try_again(workflow)
        except TemporaryFailure:
            return  # It asks by itself, and later ones are told.
