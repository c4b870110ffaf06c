"""Who did what, when, and why."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer


class AuditEntry(Answer):
    """An action of a person or of a program. ``actor`` is the name of an API key with its
    beginning, or ``local user``; ``action`` what was done, such as ``task.cancelled``; ``target``
    what it was done to, by its id or name; ``note`` why, in the words of the actor."""

    id: UUID
    created_at: datetime
    actor: str
    action: str
    target: str
    note: str
    details: dict[str, JsonValue]
