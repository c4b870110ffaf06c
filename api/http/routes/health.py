"""Health: whether the API is alive and ready, and its metrics."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.http.dependencies import ServicesDep, TeamDep, ViewersDep
from api.http.metrics import Metrics
from api.services import Services
from api.wire.responses.base import API
from api.wire.responses.health import Dependency, Readiness
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.services import StoreRefused

CHECK_TIMEOUT_SECONDS = 3.0

# Monitors know these paths, whatever the version of the API.
PREFIX = ""

router = APIRouter(tags=["health"])

log = structlog.get_logger(__name__)


@router.get("/")
async def index() -> dict[str, str]:
    """List the main addresses."""
    return {
        "name": "AgentOS",
        "tasks": f"{API}/tasks",
        "skills": f"{API}/skills",
        "tools": f"{API}/tools",
        "calls": f"{API}/openapi.json",
        "health": "/readyz",
        "metrics": "/metrics",
    }


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Check that this process answers."""
    return {"state": "alive"}


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(services: ServicesDep, response: Response) -> Readiness:
    """Check everything that the API depends on; 503 when something does not answer."""
    disk = [] if services.disk is None else [_check("disk", services.disk.check)]
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
    response.status_code = 200 if is_ready else 503
    state = "ready" if is_ready else "not ready"
    return Readiness(state=state, dependencies=found, workers=workers)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, team_id: TeamDep, viewers: ViewersDep) -> Response:
    """Metrics for Prometheus, across all teams. If keys are required, any valid key works."""
    numbers: Metrics = request.app.state.metrics
    text = await numbers.render(streams=viewers.count)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


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


async def _count_workers(services: Services) -> int | None:
    try:
        return await services.temporal.count_workers()
    except TemporaryFailure:
        return None


async def _check_bucket(services: Services) -> None:
    if not await services.blobs.check():
        raise StoreRefused(reason=f"there is no bucket {services.blobs.bucket}")
