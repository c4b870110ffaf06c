"""Holding housekeeping off, while somebody copies what it would remove."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import text

from activities.store.database import Database
from workflows.errors import TemporaryFailure

_SECONDS = 90.0
_RENEW_SECONDS = 20.0
_POLL_SECONDS = 0.5
# Longer than a lease: whoever has one may have died with it.
_WAIT_SECONDS = 120.0


@asynccontextmanager
async def housekeeping_held_off(database: Database) -> AsyncIterator[None]:
    """No pass is made meanwhile. The lease is that of a pass, and ends by itself if we are killed.

    Raises:
        TemporaryFailure: a pass does not come to its end.
    """
    holder = f"held-off-{uuid4().hex}"
    await _take(database, holder)
    renewing = asyncio.create_task(_renew(database, holder))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])
        await database.execute(_LET_GO, {"holder": holder})


async def _take(database: Database, holder: str) -> None:
    deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while not await _hold(database, holder):
        if asyncio.get_running_loop().time() > deadline:
            raise TemporaryFailure(service="Housekeeping", reason="its pass does not end")
        await asyncio.sleep(_POLL_SECONDS)


async def _renew(database: Database, holder: str) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        await _hold(database, holder)


async def _hold(database: Database, holder: str) -> bool:
    return bool(await database.execute(_HOLD, {"holder": holder, "seconds": _SECONDS}))


# When a pass began and ended stays as it was: this is none.
_HOLD = text(
    """
    UPDATE housekeeping SET holder = :holder, held_until = now() + make_interval(secs => :seconds)
    WHERE held_until IS NULL OR held_until < now() OR holder = :holder
    RETURNING id
    """
)
_LET_GO = text("UPDATE housekeeping SET held_until = NULL WHERE holder = :holder")
