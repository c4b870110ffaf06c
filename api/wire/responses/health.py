"""Whether the API can work."""

from api.wire.responses.base import Answer


class Dependency(Answer):
    """``detail`` says what to do about a disk that is full. Of all else the log says why it is
    away: the answer is open to everybody."""

    name: str
    state: str
    latency_ms: float
    detail: str | None = None


class Readiness(Answer):
    """``state`` is ``ready`` when every dependency is ``up``, else ``not ready``.

    ``workers`` says how many of them ask for work; null when Temporal cannot be asked. Without any
    the API is ready all the same: what it accepts waits for one.
    """

    state: str
    dependencies: list[Dependency]
    workers: int | None


class Index(Answer):
    """The main addresses."""

    name: str
    tasks: str
    skills: str
    tools: str
    calls: str
    docs: str
    health: str
    metrics: str


class Liveness(Answer):
    """The process answers."""

    state: str = "alive"
