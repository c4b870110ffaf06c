"""Whether what the API depends on answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from activities.disk import Disk, room_on
from api.services import Services
from api.wire.responses.health import Dependency, Readiness
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.services import StoreRefused

CHECK_TIMEOUT_SECONDS = 3.0
_MAKE_ROOM = "Free some space there; what waits for it then goes on by itself."

log = structlog.get_logger(__name__)


async def readiness_of(services: Services) -> Readiness:
    """Look at all of it at once."""
    disk = [] if services.disk is None else [_check_disk(services.disk)]
    workers, found = await asyncio.gather(
        _count_workers(services),
        asyncio.gather(
            _check("postgres", services.database.check),
            _check("temporal", services.temporal.check),
            _check("s3", lambda: _check_bucket(services)),
            *disk,
        ),
    )
    is_ready = all(item.state == "up" for item in found)
    state = "ready" if is_ready else "not ready"
    return Readiness(state=state, dependencies=found, workers=workers)


async def _check(name: str, call: Callable[[], Awaitable[object]]) -> Dependency:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await call()
    except (AgentOSError, TimeoutError) as error:
        # Why is for the log: the answer is open to everybody.
        log.warning("dependency.down", name=name, reason=str(error) or "it does not answer")
        state = "down"
    else:
        state = "up"
    latency_ms = round((time.perf_counter() - started) * 1_000, 1)
    return Dependency(name=name, state=state, latency_ms=latency_ms)


async def _check_disk(disk: Disk) -> Dependency:
    """The path of its folder is not for everybody."""
    found = await _check("disk", disk.check)
    if found.state == "up":
        return found
    detail = f"It is full: {room_on(disk.folder)}. {_MAKE_ROOM}"
    return found.model_copy(update={"detail": detail})


async def _count_workers(services: Services) -> int | None:
    try:
        return await services.temporal.count_workers()
    except TemporaryFailure:
        return None


async def _check_bucket(services: Services) -> None:
    if not await services.blobs.check():
        raise StoreRefused(reason=f"there is no bucket {services.blobs.bucket}")
