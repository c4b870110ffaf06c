"""What answers of models took that broke off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from activities.llm.base import NO_CHARGE, Charge
from activities.store import turns
from activities.store.database import Database
from activities.store.turns import Turn
from workflows.errors import TemporaryFailure

# To count what a broken answer took, and to say why it broke. A turn that was cancelled must not
# keep anybody waiting.
COUNTING_SECONDS = 2.0

log = structlog.get_logger(__name__)


class LostCharges:
    """The charge of answers that broke off: they are paid for like the others.

    ``before`` is what earlier attempts at the turn lost, and counted. A charge that reaches a
    worker just before it dies is not counted.
    """

    def __init__(self, database: Database, turn: Turn, before: Charge) -> None:
        self.total = before
        self._database = database
        self._turn = turn
        self._uncounted = NO_CHARGE

    def add(self, charge: Charge) -> None:
        self.total += charge
        self._uncounted += charge

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """Count what is lost while the block runs, however it ends.

        Once only: if the database cannot say whether it has counted, it is left at that.
        """
        try:
            yield
        finally:
            if self._uncounted.tokens:
                await self._count()

    async def _count(self) -> None:
        counting = turns.count_lost(self._database, self._turn, self._uncounted)
        try:
            await asyncio.wait_for(counting, COUNTING_SECONDS)
        except (TemporaryFailure, TimeoutError):
            log.warning("usage.uncounted", tokens=self._uncounted.tokens)
