"""Circuit breakers."""

from datetime import datetime

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import BreakerState


class Breaker(Answer):
    """The breaker of a tool, an MCP server or a model: `tool:NAME`, `mcp:SERVER`, `model:NAME`.

    ``failures`` of ``calls`` are what it opened for, at one worker. ``until`` is when an open one
    is tried next; without it, one that was opened by hand stays so until somebody closes it. A
    closed one does not open before it. ``opened`` is how often it has opened in all, ``decided_by``
    who opened or closed it by hand, with a ``note``.
    """

    name: str
    state: Open[BreakerState]
    failures: int
    calls: int
    opened_at: datetime | None
    until: datetime | None
    reason: str
    opened: int
    decided_by: str | None
    note: str
