"""What answers of models took that broke off: they have to be paid for like the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from activities.llm.base import NO_CHARGE, Charge
from activities.store import turns
from activities.store.database import Database
from activities.store.turns import Turn
from workflows.errors import TemporaryFailure

# A turn that was cancelled must not keep anybody waiting.
PATIENCE_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Losses:
    """Those of a turn. ``before`` is what its earlier attempts lost, and counted.

    What a worker was told that dies at that moment is known to nobody, and not counted.
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
            await asyncio.wait_for(counting, PATIENCE_SECONDS)
        except (TemporaryFailure, TimeoutError):
            log.warning("usage.uncounted", tokens=self._uncounted.tokens)
