"""Waiting for a service of ours that is away.

A script that ran for an hour is not run again because the store was restarted meanwhile: what is
repeated is the one call to the store, not the attempt.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from workflows.errors import TemporaryFailure

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
PATIENCE_SECONDS = 30 * 60.0

_T = TypeVar("_T")

log = structlog.get_logger(__name__)


async def patiently(
    operation: Callable[[], Awaitable[_T]], *, patience_seconds: float = PATIENCE_SECONDS
) -> _T:
    """Repeat ``operation`` while it raises ``TemporaryFailure``, at growing intervals.

    Raises:
        TemporaryFailure: the service was away for longer than ``patience_seconds``.
    """
    pause = FIRST_PAUSE_SECONDS
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience_seconds
    while True:
        try:
            return await operation()
        except TemporaryFailure as failure:
            if clock() + pause > deadline:
                raise
            log.warning("service.away", reason=str(failure), pause_seconds=pause)
        # Spread out, or every worker would call at the moment that the service is back.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
