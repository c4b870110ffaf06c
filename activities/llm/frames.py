"""What a server sends, cut into frames: the data of events, or whole JSON documents.

Which of them it is is seen in its first bytes. The Content-Type is not believed: gateways stream
under ``application/json``, and send whole completions as ``text/plain``.
"""

import json
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from activities.llm.sse import MAX_EVENT_BYTES, EventTooLarge, events

# Of what is no answer at all, so much is kept to say what came instead.
HEAD_BYTES = 300

_BOM = b"\xef\xbb\xbf"
_SIGNS_OF_LIFE = frozenset({"ping", "heartbeat", "keepalive", "keep-alive"})
_BLANK = b" \t\r\n"


class NotAnAnswer(Exception):
    """Something came, such as a web page, that is neither events nor JSON. ``head`` begins it."""

    def __init__(self, head: str) -> None:
        super().__init__(head)
        self.head = head


@dataclass(frozen=True, slots=True)
class Frame:
    """``is_error``: the server has marked it as one."""

    data: bytes
    is_error: bool = False


async def frames(pieces: AsyncIterable[bytes]) -> AsyncIterator[Frame]:
    """The frames of an answer, each as soon as it is there.

    Raises:
        EventTooLarge: one of them, or all that is no event, is too long.
        NotAnAnswer: there was something, but no frame in it.
    """
    rest = _without_start(pieces)
    first = await anext(rest, b"")
    if first[:1] in (b"{", b"["):
        for document in _documents(await _whole(first, rest)):
            yield Frame(document)
        return
    found = False
    async for event in events(_again(first, rest)):
        found = True
        data = _content(event.data)
        if data and event.name not in _SIGNS_OF_LIFE:
            yield Frame(data, event.name == "error")
    if first and not found and not first.startswith(b":"):
        raise NotAnAnswer(first[:HEAD_BYTES].decode("utf-8", "replace"))


async def whole(pieces: AsyncIterable[bytes]) -> bytes:
    """All of a document.

    Raises:
        EventTooLarge: there is too much of it.
    """
    return await _whole(b"", pieces)


async def _whole(first: bytes, rest: AsyncIterable[bytes]) -> bytes:
    body = bytearray(first)
    async for piece in rest:
        body += piece
        if len(body) > MAX_EVENT_BYTES:
            raise EventTooLarge
    return bytes(body.removeprefix(_BOM))


async def _without_start(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Without a byte order mark and the blank lines that keep a connection alive meanwhile."""
    start = b""
    has_begun = False
    async for piece in pieces:
        if has_begun:
            yield piece
            continue
        start += piece
        if _BOM.startswith(start):
            continue
        start = start.removeprefix(_BOM).lstrip(_BLANK)
        if start:
            has_begun = True
            yield start


async def _again(first: bytes, rest: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _content(data: bytes) -> bytes:
    """Without blanks, and without what a second gateway has written in front of it once more."""
    data = data.strip()
    while data.startswith(b"data:"):
        data = data[5:].strip()
    return data


def _documents(body: bytes) -> list[bytes]:
    """The documents of a body: some servers send one a line in place of a stream of events."""
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(map(_is_json, lines)):
        return lines
    return [body]


def _is_json(line: bytes) -> bool:
    if line[:1] != b"{":
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
