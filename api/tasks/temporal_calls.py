"""Calls to Temporal: bounded in time, with errors of our own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from temporalio.service import RPCError, RPCStatusCode

from workflows.errors import TemporaryFailure

CALL_TIMEOUT_SECONDS = 2.0
# Where no person waits. A machine that is starved answers late, and a start that was given up for
# lost would be made once more.
PATIENT_TIMEOUT_SECONDS = 10.0

_SUMMARY_BYTES = 200  # Temporal's own limit is twice that, for what may be encrypted.


def summary(title: str) -> str:
    """What Temporal takes of a title."""
    return title.encode()[:_SUMMARY_BYTES].decode(errors="ignore")


@asynccontextmanager
async def temporal_errors(seconds: float = CALL_TIMEOUT_SECONDS) -> AsyncIterator[None]:
    """Tell a Temporal that does not do what it is asked as ``TemporaryFailure``.

    Also when it refuses us: accepted tasks then wait until somebody has fixed that.
    """
    try:
        # Beside the time-out of each call: connecting for the first time has none of its own.
        async with asyncio.timeout(seconds + 0.5):
            yield
    except TimeoutError as error:
        raise TemporaryFailure(service="Temporal", reason="it does not answer") from error
    except RPCError as error:
        reason = f"{error.status.name}: {error.message}"
        raise TemporaryFailure(service="Temporal", reason=reason) from error
    except RuntimeError as error:
        if not str(error).startswith("Failed client connect"):  # it has no class of its own
            raise
        raise TemporaryFailure(service="Temporal", reason=str(error)[:300]) from error


async def unless_ended(call: Awaitable[None]) -> bool:
    """Make a call that needs a running workflow; False when it has ended."""
    try:
        await call
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
