"""Server-sent events, read from pieces of any size."""

from collections.abc import AsyncIterable, AsyncIterator

MAX_EVENT_BYTES = 4 * 1024 * 1024


class EventTooLarge(Exception):
    """One event has more than ``MAX_EVENT_BYTES``."""


async def whole(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """All as one: what a server sends that does not stream.

    Raises:
        EventTooLarge: there is too much of it.
    """
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > MAX_EVENT_BYTES:
            raise EventTooLarge
    yield bytes(body)


async def event_data(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The data of each event: of its fields only ``data`` means anything here.

    An event that the end of the stream cuts off is given too: some servers leave out the empty
    line after the last one.

    Raises:
        EventTooLarge: a line, or all of an event's data, is too long.
    """
    unfinished = bytearray()
    data: list[bytes] = []
    size = 0
    async for piece in pieces:
        unfinished += piece
        if len(unfinished) > MAX_EVENT_BYTES:
            raise EventTooLarge
        if b"\n" not in piece:
            continue
        *lines, rest = unfinished.split(b"\n")
        unfinished = rest
        for line in lines:
            content = bytes(line).rstrip(b"\r")
            if content.startswith(b"data:"):
                data.append(content[5:].removeprefix(b" "))
                size += len(content)
                if size > MAX_EVENT_BYTES:
                    raise EventTooLarge
            elif not content and data:
                yield b"\n".join(data)
                data.clear()
                size = 0
    if unfinished.startswith(b"data:"):
        data.append(bytes(unfinished[5:]).strip())
    if data:
        yield b"\n".join(data)
