"""Limits on what runs at once and on how often something is done."""

from api.wire.responses.base import Answer


class Limit(Answer):
    """``name`` is ``team``, ``tool:<name>``, ``mcp:<server>`` or ``model:<name>``. Of its work
    ``running`` runs now, at most ``max_running``, and ``per_minute`` may begin; null is no limit.
    ``waiting`` waits. The limit of a model holds for all teams together, and so do its numbers.
    """

    name: str
    max_running: int | None
    per_minute: int | None
    running: int
    waiting: int


class LimitList(Answer):
    """``weight`` is the team's share in the workers."""

    weight: float
    items: list[Limit]
