"""Tells agents that stay of messages which nobody has told them of: those that tools and other
agents have written, and those that came while Temporal was away."""

import asyncio
import random
from contextlib import suppress

import structlog

from activities.store.inbox import CHANNEL
from activities.store.listener import Listener
from activities.store.reading.untold import Untold, untold
from api.residents.telling import Word, tell
from api.services import Services
from workflows.backoff import Backoff
from workflows.errors import TemporaryFailure

# Whoever has posted a message is given so long to tell of it.
GATHERING_SECONDS = 0.05
# A word may be lost, and so may a whole workflow.
LOOKING_SECONDS = 1.0
TOLD_A_PASS = 500
AT_ONCE = 16
_PAUSES = Backoff(first_seconds=0.5, longest_seconds=5.0)

log = structlog.get_logger(__name__)


class Teller:
    """Any number of APIs may run one: a workflow that is told twice looks twice."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._heard = asyncio.Event()
        self._listener = Listener(
            services.database.url,
            CHANNEL,
            on_word=lambda _: self._heard.set(),
            on_connected=self._heard.set,
        )

    async def run(self) -> None:
        """Tell until cancelled."""
        listening = asyncio.create_task(self._listener.run())
        try:
            await self._tell_on_and_on()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _tell_on_and_on(self) -> None:
        pauses = None
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOKING_SECONDS)
            await asyncio.sleep(GATHERING_SECONDS)
            self._heard.clear()
            try:
                await self.tell_all()
            except TemporaryFailure as failure:
                if pauses is None:
                    pauses = _PAUSES.pauses(random.uniform)
                    log.warning("teller.failing", reason=str(failure))
                await asyncio.sleep(next(pauses))
            else:
                if pauses is not None:
                    log.info("teller.recovered")
                pauses = None

    async def tell_all(self) -> None:
        """Tell all who have something that they were not told of.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        due = await untold(self._services.database, TOLD_A_PASS)
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(*map(self._tell, due[first : first + AT_ONCE]))

    async def _tell(self, agent: Untold) -> None:
        word = Word(agent.agent_id, agent.team_id, agent.name, agent.seq, agent.interrupts)
        await tell(self._services, word)
