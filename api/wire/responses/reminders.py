"""What agents that stay are to be reminded of."""

from datetime import datetime
from uuid import UUID

from api.wire.responses.base import Answer


class Reminder(Answer):
    """It comes next at ``next_at``, and then ``every`` so often, not after ``until``. ``number`` is
    how often it has come."""

    id: UUID
    agent_id: UUID
    text: str
    next_at: datetime
    every: str | None
    until: datetime | None
    number: int
    created_at: datetime
