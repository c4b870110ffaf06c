"""Heartbeats: how Temporal learns that a worker is alive, and an activity that it was cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

# Cancellation reaches an activity in the answer to a heartbeat. The worker must not throttle them
# to less often than this: see `worker`.
INTERVAL_SECONDS = 0.2


@asynccontextmanager
async def heartbeating() -> AsyncIterator[None]:
    """Beat for as long as the block runs."""
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()
        with suppress(asyncio.CancelledError):
            await beats


async def _beat() -> None:
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        activity.heartbeat()
