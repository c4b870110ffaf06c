"""Tells agents that stay again that they are paused, or not: the first word may have been lost."""

import time
from collections.abc import Mapping
from math import inf
from uuid import UUID

import structlog

from activities.store.reading.stopped import misheard
from api.services import Services

# Whoever pauses or resumes an agent is given this long to tell it.
AGE_SECONDS = 3.0
# A turn that runs pauses after its end, and each word is kept in the history of its workflow.
AGAIN_SECONDS = 60.0
MAX_TOLD_A_PASS = 50

log = structlog.get_logger(__name__)


class Pauses:
    """The row is right: what a workflow does otherwise, it was not told, or told at the moment at
    which somebody changed their mind."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._told_at: Mapping[tuple[UUID, bool], float] = {}

    async def tell_again(self) -> None:
        """One pass. Raises ``TemporaryFailure``: the next one tells the rest."""
        due = {}
        for found in await misheard(self._services.database, AGE_SECONDS, MAX_TOLD_A_PASS):
            key = found.exchange_id, found.is_paused
            due[key] = self._told_at.get(key, -inf)
            if time.monotonic() - due[key] < AGAIN_SECONDS:
                continue
            due[key] = time.monotonic()
            signal = "pause" if found.is_paused else "resume"
            if await self._services.temporal.conversations.signal(found.agent_id, signal):
                log.info("agent.told_again", agent_id=str(found.agent_id), signal=signal)
        self._told_at = due
