"""Taking an attempt back that cannot be made now: it is as if it had not been."""

import asyncio

import structlog

from activities.attempts.heartbeat import FAREWELL_SECONDS, was_stopped
from activities.attempts.holding import Held
from activities.patience import patiently
from activities.store import attempts
from activities.store.attempts import Attempt
from activities.store.database import Database
from workflows.contracts import Hold
from workflows.pipeline_contracts import StepOutcome

log = structlog.get_logger(__name__)


async def take_back(database: Database, attempt: Attempt, held: Held) -> StepOutcome:
    """Take back that an attempt has begun, if it has, and say what the step waits for."""
    until = held.until
    writing = asyncio.ensure_future(
        patiently(lambda: attempts.hold(database, attempt, held.what, until))
    )
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing], timeout=FAREWELL_SECONDS)
        # A worker that stops gives the work back: else that would pass for an attempt that was cut
        # off in the midst of it, and may have done anything.
        if not was_stopped() or not writing.done() or writing.exception() is not None:
            writing.cancel()
            raise
    log.info("work.held", reason=held.what, seconds=held.seconds)
    tried = attempt.number - attempt.before - 1
    return StepOutcome(exit_code=0, files=0, held=Hold(seconds=held.seconds, tried=tried))
