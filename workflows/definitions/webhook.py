"""What is told to URLs of other people's when a task changes its state."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_URL_CHARACTERS = 2_000
MAX_CALLBACKS = 8


class Notice(StrEnum):
    """What a receiver may be told of a task. ``STARTED`` comes once in each run of it."""

    STARTED = "task.started"
    WAITING = "task.waiting"
    COMPLETED = "task.completed"
    FAILED = "task.failed"
    BLOCKED = "task.blocked"
    CANCELLED = "task.cancelled"


class DeliveryState(StrEnum):
    """``PENDING`` is sent, or sent again, when its time comes; ``FAILED`` was given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


# That it has started is of use to few.
DEFAULT_NOTICES = tuple(notice for notice in Notice if notice is not Notice.STARTED)


def _sound_url(url: str) -> str:
    """Which hosts may be named is for the settings of the server to say."""
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # Such as a port that is no number.
        is_sound = False
    # Blanks and backslashes are read by some as a part of the host, and by others not.
    if not is_sound or not (url.isascii() and url.isprintable()) or set(url) & set(" \\"):
        raise ValueError("it must be a URL, such as https://example.org/hook")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("a URL with a user or a fragment is not called")
    return url


WebhookUrl = Annotated[str, Field(max_length=MAX_URL_CHARACTERS), AfterValidator(_sound_url)]
Notices = Annotated[
    tuple[Notice, ...],
    Field(min_length=1, max_length=len(Notice)),
    AfterValidator(lambda notices: tuple(dict.fromkeys(notices))),
]


class Callback(BaseModel):
    """Whom to tell of one task: ``url`` is sent a signed POST when one of the ``events`` happens,
    by default when the task waits for somebody and when it has ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: WebhookUrl
    events: Notices = DEFAULT_NOTICES
