"""What agents that stay remember: notes, and summaries of their conversation."""

from datetime import datetime
from uuid import UUID

from api.wire.responses.base import Answer


class Note(Answer):
    """What an agent, or a person for it, wrote down to be remembered."""

    id: UUID
    text: str
    created_at: datetime


class Summary(Answer):
    """What was said until then, as ``model`` has summed it up for the agent: all turns up to the
    ``through``-th, which stay. ``tokens`` and ``cost_usd`` are what that took."""

    through: int
    text: str
    model: str
    tokens: int
    cost_usd: float
    created_at: datetime
