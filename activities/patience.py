"""Waiting for a service of ours that is away.

A script that ran for an hour is not run again because the store was restarted meanwhile: what is
repeated is the one call to the store, not the attempt.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from workflows.backoff import Backoff
from workflows.errors import TemporaryFailure

BACKOFF = Backoff(first_seconds=0.1, longest_seconds=10.0)
PATIENCE_SECONDS = 30 * 60.0

_T = TypeVar("_T")

log = structlog.get_logger(__name__)


async def patiently(
    operation: Callable[[], Awaitable[_T]],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    backoff: Backoff = BACKOFF,
    progress: Callable[[], int] = lambda: 0,
) -> _T:
    """Repeat ``operation`` while it raises ``TemporaryFailure``, at growing intervals. They begin
    anew, and so does the patience, after a try that got on with its work, as ``progress`` tells:
    a service that answers most of the time is not away.

    Raises:
        TemporaryFailure: the service was away for longer than ``patience_seconds``.
    """
    clock = asyncio.get_running_loop().time
    reached, deadline = progress(), clock() + patience_seconds
    pauses = backoff.pauses(random.uniform)
    while True:
        try:
            return await operation()
        except TemporaryFailure as failure:
            if progress() != reached:
                reached, deadline = progress(), clock() + patience_seconds
                pauses = backoff.pauses(random.uniform)
            pause = next(pauses)
            if clock() + pause > deadline:
                raise
            log.warning("service.away", reason=str(failure), pause_seconds=round(pause, 2))
        await asyncio.sleep(pause)
