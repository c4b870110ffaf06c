"""Health: whether the API is alive and ready, and its metrics."""

from fastapi import Request, Response

from activities.metrics.numbers import CONTENT_TYPE
from api.http.dependencies import ServicesDep, TeamDep, ViewersDep
from api.http.paths import DOCS
from api.http.readiness import readiness_of
from api.http.routing import Routes
from api.metrics.metrics import Metrics
from api.wire.responses.base import API
from api.wire.responses.health import Index, Liveness, Readiness

# Monitors know these paths, whatever the version of the API.
PREFIX = ""

router = Routes(tags=["health"])


@router.get(API, operation_id="getIndex")
async def index() -> Index:
    """List the main addresses."""
    return Index(
        name="AgentOS",
        tasks=f"{API}/tasks",
        skills=f"{API}/skills",
        tools=f"{API}/tools",
        calls=f"{API}/openapi.json",
        docs=DOCS,
        health="/readyz",
        metrics="/metrics",
    )


@router.get("/healthz", operation_id="getLiveness")
async def healthz() -> Liveness:
    """Check that this process answers."""
    return Liveness()


@router.get("/readyz", responses={503: {"model": Readiness}}, operation_id="getReadiness")
async def readyz(services: ServicesDep, response: Response) -> Readiness:
    """Check everything that the API depends on; 503 when something does not answer."""
    found = await readiness_of(services)
    response.status_code = 200 if found.state == "ready" else 503
    return found


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    operation_id="getMetrics",
)
async def metrics(request: Request, team_id: TeamDep, viewers: ViewersDep) -> Response:
    """Metrics for Prometheus, across all teams. If keys are required, any valid key works, and the
    token that is set for metrics."""
    found: Metrics = request.app.state.metrics
    text = await found.text(streams=viewers.count)
    return Response(text, media_type=CONTENT_TYPE)
