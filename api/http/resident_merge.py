"""The live events of an agent that stays, merged of what others have put in order.

There are three sources: the rows of its inbox, how it is now, and the events of its present
exchange. The merged stream keeps the order of each. It has a reply only after all events of the
exchange that gave it, and of an exchange that ended before a viewer came back none at all: its
reply says it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi.sse import format_sse_event

from activities.store.reading.resident_events import ResidentGlance
from api.http.feed import Feed
from api.http.resident_feeds import AGENT

_POSITION = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})")
# Data is a line of JSON, so that no line of it can look like these.
_ID = re.compile(rb"(?<=\nid: )[0-9]+(?=\n)")
_DATA = b"\ndata: {"


@dataclass(frozen=True, slots=True)
class Position:
    """What a viewer has seen: the rows of the inbox up to ``inbox_seq``, and of the ``number``-th
    exchange the events up to ``event_seq``. As text it is the id of an event."""

    inbox_seq: int
    number: int
    event_seq: int

    def __str__(self) -> str:
        return f"{self.inbox_seq}.{self.number}.{self.event_seq}"

    @classmethod
    def read(cls, text: str) -> "Position | None":
        """None when it is no position."""
        found = _POSITION.fullmatch(text)
        return cls(*map(int, found.groups())) if found else None

    @classmethod
    def at(cls, glance: ResidentGlance, seen: "Position | None") -> "Position":
        """Where a viewer begins who has ``seen`` so much: by default now, with the whole of the
        answer that is being written. Of what is over by now no events are sent again."""
        if seen is None:
            seen = cls(glance.message_seq, glance.number, 0)
        inbox_seq = min(seen.inbox_seq, glance.message_seq)
        if seen.number == glance.number:
            last = seen.event_seq if glance.is_answering else glance.exchange_seq
            return cls(inbox_seq, glance.number, min(last, glance.exchange_seq))
        return cls(inbox_seq, glance.number, 0 if glance.is_answering else glance.exchange_seq)


@dataclass(frozen=True, slots=True)
class Send:
    content: bytes


@dataclass(frozen=True, slots=True)
class Join:
    """The events of this exchange are to be followed from ``seq`` on; there are some up to
    ``last_seq``."""

    task_id: UUID
    seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Leave:
    """The exchange that is followed has been told to its end."""


@dataclass(frozen=True, slots=True)
class ReadInbox:
    """Rows after this number are no longer kept."""

    after: int


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """Events of the exchange after this number are no longer kept."""

    task_id: UUID
    after: int


Step = Send | Join | Leave | ReadInbox | ReadEvents


class Merge:
    """What one viewer is to be sent next. It does nothing itself, and waits for nothing."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self._sent: Mapping[str, Any] | None = None
        self._followed: UUID | None = None
        self._has_left = False

    def next(self, glance: ResidentGlance, inbox: Feed, exchange: Feed | None) -> Step | None:
        """``exchange`` is the feed that the last ``Join`` asked for. None: there is nothing now."""
        if self._sent is None:  # Before anything else: without it nothing makes sense.
            return self._send_shown(glance)
        if exchange is not None and (step := self._next_event(exchange)):
            return step
        if exchange is not None and self._is_over(glance):
            return None  # Its last events are not read yet; the reply is, and comes after them.
        if step := self._next_row(inbox):
            return step
        if glance.shown != self._sent:
            return self._send_shown(glance)
        return self._join(glance) if exchange is None else None

    def take_rows(self, content: bytes, last_seq: int) -> Send:
        """To be sent: rows of the inbox up to ``last_seq``."""
        position = self.position
        place = f".{position.number}.{position.event_seq}".encode()
        self.position = replace(position, inbox_seq=last_seq)
        return Send(_ID.sub(lambda found: found[0] + place, content))

    def take_events(self, content: bytes, last_seq: int) -> Send:
        """To be sent: events of the exchange up to ``last_seq``."""
        position = self.position
        place = f"{position.inbox_seq}.{position.number}.".encode()
        self.position = replace(position, event_seq=last_seq)
        labelled = content.replace(_DATA, _DATA + f'"task_id": "{self._followed}", '.encode())
        return Send(_ID.sub(lambda found: place + found[0], labelled))

    def _next_event(self, exchange: Feed) -> Step | None:
        assert self._followed is not None
        seq = self.position.event_seq
        frame = exchange.after(seq)
        if frame is None:
            return ReadEvents(self._followed, seq)
        if frame.seq > seq:
            return self.take_events(frame.content, frame.seq)
        if exchange.has_ended:
            self._followed, self._has_left = None, True
            return Leave()
        return None

    def _next_row(self, inbox: Feed) -> Step | None:
        seq = self.position.inbox_seq
        frame = inbox.after(seq)
        if frame is None:
            return ReadInbox(seq)
        return self.take_rows(frame.content, frame.seq) if frame.seq > seq else None

    def _is_over(self, glance: ResidentGlance) -> bool:
        number = self.position.number
        return glance.number > number or (glance.number == number and not glance.is_answering)

    def _join(self, glance: ResidentGlance) -> Join | None:
        position = self.position
        if glance.number > position.number:
            seq = 0 if glance.is_answering else glance.exchange_seq
            self.position = replace(position, number=glance.number, event_seq=seq)
            self._has_left = not glance.is_answering
        elif glance.number < position.number or (
            # What is known of the agent may be older than the end of the events.
            self._has_left and glance.exchange_seq <= position.event_seq
        ):
            return None
        if not glance.is_answering or glance.exchange_id is None:
            return None
        self._followed, self._has_left = glance.exchange_id, False
        return Join(glance.exchange_id, self.position.event_seq, glance.exchange_seq)

    def _send_shown(self, glance: ResidentGlance) -> Send:
        # With the place: a viewer that is cut off before anything else happens has one.
        place = str(self.position) if self._sent is None else None
        self._sent = glance.shown
        data = json.dumps(dict(glance.shown))
        return Send(format_sse_event(id=place, event=AGENT, data_str=data))
