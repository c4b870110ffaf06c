"""Tells agents that stay of messages which nobody has told them of: those that tools and other
agents have written, and those that came while Temporal was away. Of what the API itself is telling
it hears no word: it would only be told twice."""

import asyncio
import time
from contextlib import suppress
from math import inf

from activities.store.inbox import CHANNEL
from activities.store.reading.untold import Untold, untold
from activities.store.unable import note_unable
from api.http.notifications import Notifications
from api.passes import Passes, until_next
from api.residents.telling import AT_ONCE, Word, tell
from api.services import Services
from workflows.errors import TemporaryFailure

# Between passes: what comes in quick succession is told of together.
GATHERING_SECONDS = 0.05
# A word may be lost, and so may a whole workflow.
LOOKING_SECONDS = 1.0
# Between two looks for those that have been told and did not begin to read.
SILENT_PASS_SECONDS = 5.0
TOLD_A_PASS = 500
UNABLE_A_PASS = 2_000
PASS_TIMEOUT_SECONDS = 30.0


class Teller:
    """Any number of APIs may run one: a workflow that is told twice looks twice."""

    def __init__(self, services: Services, notifications: Notifications) -> None:
        self._services = services
        self._heard = asyncio.Event()
        self._looked_at = -inf
        self._begun = time.monotonic()
        notifications.hear(CHANNEL, self._heard.set)

    async def run(self) -> None:
        """Tell until cancelled."""
        self._begun = time.monotonic()
        passes = Passes("teller", self._pass, GATHERING_SECONDS, PASS_TIMEOUT_SECONDS, rest=True)
        await passes.run()

    async def _pass(self) -> None:
        # At full seconds from the beginning, where it shares its look with other passes.
        # Not ``wait_for``: in Python 3.11 it may swallow that the API stops.
        with suppress(TimeoutError):
            async with asyncio.timeout(until_next(self._begun, LOOKING_SECONDS)):
                await self._heard.wait()
        was_heard = self._heard.is_set()
        self._heard.clear()
        if was_heard or self._is_time_for_silent or (await self._services.looks.look()).untold:
            await self.tell_all()

    @property
    def _is_time_for_silent(self) -> bool:
        return time.monotonic() - self._looked_at >= SILENT_PASS_SECONDS

    async def tell_all(self) -> None:
        """Tell all who have something that they were not told of.

        Raises:
            TemporaryFailure: Temporal or the database cannot be reached; what is left waits.
        """
        silent = self._is_time_for_silent
        due = await untold(self._services.database, TOLD_A_PASS, silent=silent)
        if silent:
            self._looked_at = time.monotonic()
            await note_unable(self._services.database, UNABLE_A_PASS)
        failures: list[TemporaryFailure] = []
        for first in range(0, len(due), AT_ONCE):
            words = [_word(agent) for agent in due[first : first + AT_ONCE]]
            failed = (await tell(self._services, *words)).values()
            failures += failed
            if len(failed) == len(words):
                break  # It is not one agent. The others behind it would only wait in vain as well.
        if failures:
            raise failures[0]


def _word(agent: Untold) -> Word:
    return Word(agent.agent_id, agent.team_id, agent.name, agent.seq, agent.interrupts)
