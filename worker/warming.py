"""Sandboxes are prepared while the worker takes its first work, which does not wait for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from activities.sandbox.base import Limits, Sandbox
from workflows.errors import AgentOSError

log = structlog.get_logger(__name__)


@asynccontextmanager
async def warming(sandbox: Sandbox, limits: Limits) -> AsyncIterator[None]:
    """Prepare for jobs with these limits while the block runs, and break off with it."""
    preparing = asyncio.create_task(_prepare(sandbox, limits), name="sandbox-warming")
    try:
        yield
    finally:
        preparing.cancel()
        await asyncio.wait({preparing})


async def _prepare(sandbox: Sandbox, limits: Limits) -> None:
    try:
        await sandbox.warm_up(limits)
    except (AgentOSError, OSError) as error:
        # What is wrong is told where it is asked for: as not being ready, and to the first job.
        log.info("sandbox.none_waits", reason=str(error))
