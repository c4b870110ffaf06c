"""How long things are kept."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FOREVER = "forever"
MOST_DAYS = 36_500

Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


class Retention(BaseModel):
    """Days for which things are kept, None for ever. What belongs to a task is kept for so long
    after the task has ended, files after a task named them last, dead letters after somebody dealt
    with them, bulk runs after they ended, all else after it was made.

    ``blobs``: bytes that nothing names any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Days | None = None
    events: Days | None = 30
    logs: Days | None = 90
    conversations: Days | None = 365
    artifacts: Days | None = None
    files: Days | None = 90
    dead_letters: Days | None = 90
    deliveries: Days | None = 30
    audit: Days | None = 730
    blobs: Days | None = 1


NAMES = tuple(Retention.model_fields)
