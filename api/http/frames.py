"""Events as the bytes of server-sent events."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from fastapi.sse import format_sse_event

from activities.store.reading.events import StoredEvent


class Frame(NamedTuple):
    """``content`` is one event or several that follow each other; ``seq`` numbers the last."""

    seq: int
    content: bytes


def encode(event: StoredEvent) -> Frame:
    data = json.dumps({**event.data, "created_at": event.created_at.isoformat()})
    return Frame(event.seq, format_sse_event(id=str(event.seq), event=event.type, data_str=data))


def join(frames: Sequence[Frame]) -> Frame:
    """One of several that follow each other; there must be one at least."""
    return Frame(frames[-1].seq, b"".join(frame.content for frame in frames))
