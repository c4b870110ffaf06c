"""Server-sent events, read from pieces of any size, whichever of three ways their lines end."""

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_EVENT_BYTES = 4 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")


class EventTooLarge(Exception):
    """One event has more than ``MAX_EVENT_BYTES``."""


class ServerEvent(NamedTuple):
    """``name`` is what the server calls this kind of event; most say nothing."""

    data: bytes
    name: str = ""


class EventReader:
    """Takes a stream piece by piece, and gives each event that has data as soon as it is there.

    An object that stands in a line without a field's name is one, too, and so is the field
    ``error`` of older llama.cpp: so servers report what breaks in the middle of a stream.
    """

    def __init__(self) -> None:
        self._unfinished = bytearray()
        self._is_after_return = False
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""

    def take(self, piece: bytes) -> Iterator[ServerEvent]:
        """Raises ``EventTooLarge`` when a line, or all of an event's data, is too long."""
        # The line has been given already, and this is the other half of its end.
        if self._is_after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        elif not piece:
            return
        self._is_after_return = piece.endswith(b"\r")
        self._unfinished += piece
        if len(self._unfinished) > MAX_EVENT_BYTES:
            raise EventTooLarge
        if b"\r" in piece:
            lines = _LINE_END.split(bytes(self._unfinished))
        elif b"\n" in piece:
            lines = bytes(self._unfinished).split(b"\n")
        else:
            return
        self._unfinished = bytearray(lines.pop())
        for line in lines:
            if (event := self._take_line(line)) is not None:
                yield event

    def end(self) -> Iterator[ServerEvent]:
        """What the end of the stream cuts off: some servers leave out the empty line after the last
        event."""
        for line in (bytes(self._unfinished), b""):
            if (event := self._take_line(line)) is not None:
                yield event
        self._unfinished = bytearray()

    def _take_line(self, line: bytes) -> ServerEvent | None:
        if line.startswith(b"data:"):
            self._size += len(line)
            if self._size > MAX_EVENT_BYTES:
                raise EventTooLarge
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            data, name = self._data, self._name
            self._data, self._size, self._name = [], 0, ""
            return ServerEvent(b"\n".join(data), name) if data else None
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif line.startswith(b"error:"):
            return ServerEvent(line[6:].removeprefix(b" "), "error")
        elif line.startswith(b"{") and line.endswith(b"}"):
            return ServerEvent(line)
        return None
