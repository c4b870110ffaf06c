"""Results that are kept for equal steps."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.wire.responses.base import Answer


class KeptResult(Answer):
    """``kind`` is skill, code or tool, and ``name`` what ran: a skill's or a tool's name. ``step``
    is the id of the step that made it. ``size`` is that of its ``files`` together, in bytes.
    ``hits`` is how many steps were given it, the last at ``last_hit_at``."""

    id: UUID
    kind: str
    name: str
    step: str
    files: int
    size: int
    made_at: datetime
    expires_at: datetime
    hits: int
    last_hit_at: datetime | None


class Cleared(Answer):
    cleared: int = Field(description="how many results there were")
