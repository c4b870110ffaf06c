"""What one talks to, and as whom."""

from uuid import UUID

from api.wire.responses.base import Answer


class About(Answer):
    """``version`` is that of AgentOS. ``actor`` is the name of the key that was sent, or ``local
    user``; ``team`` is its team's. ``sandbox`` is where scripts run, as this process is told."""

    version: str
    python: str
    team_id: UUID
    team: str
    actor: str
    keys_required: bool
    sandbox: str | None
    temporal_url: str | None
