"""API keys of a team. What a client sends, the ``secret``, is shown once."""

from datetime import datetime
from uuid import UUID

from api.wire.responses.base import Answer


class ApiKey(Answer):
    """``prefix`` is how it begins. ``is_own``: the request came with it."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None
    is_own: bool


class NewApiKey(ApiKey):
    """``secret`` is the key itself. It is not kept, so nobody can read it again."""

    secret: str


class RevokedApiKey(ApiKey):
    """``keys_left`` is how many keys the team has in use still."""

    keys_left: int
