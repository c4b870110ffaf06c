"""Events as the bytes of server-sent events."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from fastapi.sse import format_sse_event

from activities.store.reading.events import EventPage, StoredEvent


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


def encode_page(page: EventPage, after: int) -> Frame:
    """Its events as one frame, which is empty, of number ``after``, if there are none."""
    return join([encode(event) for event in page.events]) if page.events else Frame(after, b"")
