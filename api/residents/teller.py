"""Tells agents that stay of messages which nobody has told them of: those that tools and other
agents have written, and those that came while Temporal was away."""

import asyncio
import time
from contextlib import suppress
from math import inf

from activities.store.inbox import CHANNEL
from activities.store.listener import Listener
from activities.store.reading.untold import Untold, untold
from activities.store.unable import note_unable
from api.passes import Passes
from api.residents.telling import Word, tell
from api.services import Services
from workflows.errors import TemporaryFailure

# Before each pass: whoever has posted a message is given so long to tell of it.
GATHERING_SECONDS = 0.05
# A word may be lost, and so may a whole workflow.
LOOKING_SECONDS = 1.0
# Between two looks for those that have been told and did not begin to read.
SILENT_PASS_SECONDS = 5.0
TOLD_A_PASS = 500
UNABLE_A_PASS = 2_000
AT_ONCE = 16
PASS_TIMEOUT_SECONDS = 30.0


class Teller:
    """Any number of APIs may run one: a workflow that is told twice looks twice."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._heard = asyncio.Event()
        self._looked_at = -inf
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
            await Passes("teller", self._pass, GATHERING_SECONDS, PASS_TIMEOUT_SECONDS).run()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _pass(self) -> None:
        # Not ``wait_for``: in Python 3.11 it may swallow that the API stops.
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOKING_SECONDS):
                await self._heard.wait()
        self._heard.clear()
        await self.tell_all()

    async def tell_all(self) -> None:
        """Tell all who have something that they were not told of.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        silent = time.monotonic() - self._looked_at >= SILENT_PASS_SECONDS
        due = await untold(self._services.database, TOLD_A_PASS, silent=silent)
        if silent:
            self._looked_at = time.monotonic()
            await note_unable(self._services.database, UNABLE_A_PASS)
        failures: list[TemporaryFailure] = []
        for first in range(0, len(due), AT_ONCE):
            told = await asyncio.gather(*map(self._tell, due[first : first + AT_ONCE]))
            failed = [failure for failure in told if failure is not None]
            failures += failed
            if len(failed) == len(told):
                break  # It is not one agent. The others behind it would only wait in vain as well.
        if failures:
            raise failures[0]

    async def _tell(self, agent: Untold) -> TemporaryFailure | None:
        """Gives its failure, which may be that of one workflow, and must hold up no others."""
        word = Word(agent.agent_id, agent.team_id, agent.name, agent.seq, agent.interrupts)
        try:
            await tell(self._services, word)
        except TemporaryFailure as failure:
            return failure
        return None
