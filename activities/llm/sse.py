"""Server-sent events, read from pieces of any size, whichever of three ways their lines end."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 4 * 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\r|\n")


class EventTooLarge(Exception):
    """One event has more than ``MAX_EVENT_BYTES``."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """``name`` is what the server calls this kind of event; most say nothing."""

    data: bytes
    name: str = ""


async def events(pieces: AsyncIterable[bytes]) -> AsyncIterator[ServerEvent]:
    """Each event that has data.

    One that the end of the stream cuts off is given too: some servers leave out the empty line
    after the last one. So is an object that stands in a line without a field's name, and the field
    ``error`` of older llama.cpp: that is how servers report what breaks in the middle of a stream.

    Raises:
        EventTooLarge: a line, or all of an event's data, is too long.
    """
    data: list[bytes] = []
    size = 0
    name = ""
    async for line in _lines(pieces):
        field, _, value = line.partition(b":")
        if not line:
            if data:
                yield ServerEvent(b"\n".join(data), name)
                data.clear()
            size, name = 0, ""
        elif field == b"data":
            data.append(value.removeprefix(b" "))
            size += len(line)
            if size > MAX_EVENT_BYTES:
                raise EventTooLarge
        elif field == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif field == b"error":
            yield ServerEvent(value.removeprefix(b" "), "error")
        elif line.startswith(b"{") and line.endswith(b"}"):
            yield ServerEvent(line)
    if data:
        yield ServerEvent(b"\n".join(data), name)


async def _lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines; the last one may have no end."""
    unfinished = bytearray()
    is_after_return = False
    async for piece in pieces:
        if not piece:
            continue
        # The line has been given already, and this is the other half of its end.
        if is_after_return and piece.startswith(b"\n"):
            piece = piece[1:]  # noqa: PLW2901
        is_after_return = piece.endswith(b"\r")
        unfinished += piece
        if len(unfinished) > MAX_EVENT_BYTES:
            raise EventTooLarge
        if b"\n" not in piece and b"\r" not in piece:
            continue
        *lines, rest = _LINE_END.split(unfinished)
        unfinished = bytearray(rest)
        for line in lines:
            yield bytes(line)
    if unfinished:
        yield bytes(unfinished)
