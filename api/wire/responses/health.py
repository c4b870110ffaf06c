"""Whether the API can work."""

from api.wire.responses.base import Answer


class Dependency(Answer):
    name: str
    state: str
    latency_ms: float


class Readiness(Answer):
    """``state`` is ``ready`` when every dependency is ``up``, else ``not ready``."""

    state: str
    dependencies: list[Dependency]
