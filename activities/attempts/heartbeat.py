"""Heartbeats: how Temporal learns that a worker is alive, and an activity that it was cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

# Cancellation reaches an activity in the answer to a heartbeat, where the server does not push it,
# and processes are to be dead within a second. The worker must not throttle them to less often than
# this: see `worker`. More of them would be for nothing: the server writes each down.
INTERVAL_SECONDS = 0.5

# How long a cancelled attempt may take to say so. The workflow closes the row in any case.
FAREWELL_SECONDS = 0.5


@asynccontextmanager
async def heartbeating(*details: int) -> AsyncIterator[None]:
    """Beat for as long as the block runs. The next attempt reads the ``details`` of the last.

    By a timer, and not a task: most blocks are over before the first beat.
    """
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def beat() -> None:
        nonlocal timer
        timer = loop.call_later(INTERVAL_SECONDS, beat)
        activity.heartbeat(*details)

    timer = loop.call_later(INTERVAL_SECONDS, beat)
    try:
        yield
    finally:
        timer.cancel()


def was_stopped() -> bool:
    """Whether an activity that was cancelled was so because its worker stops, and for that only."""
    details = activity.cancellation_details()
    is_asked = details is not None and (details.cancel_requested or details.not_found)
    return activity.is_worker_shutdown() and not is_asked
