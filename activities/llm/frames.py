"""What a server sends, cut into frames: the data of events, or whole JSON documents.

Which of them it is is seen in its first bytes. The Content-Type is not believed: gateways stream
under ``application/json``, and send whole completions as ``text/plain``.
"""

import json
from collections.abc import AsyncIterable, AsyncIterator
from typing import NamedTuple

from activities.llm.sse import MAX_EVENT_BYTES, EventReader, EventTooLarge, ServerEvent

# Of what is no answer at all, so much is kept to say what came instead.
HEAD_BYTES = 300

_BOM = b"\xef\xbb\xbf"
_SIGNS_OF_LIFE = frozenset({"ping", "heartbeat", "keepalive", "keep-alive"})
_BLANK = b" \t\r\n"

# Of JSON; some gateways give one as a text.
_DOCUMENTS = (b"{", b"[", b'"{', b'"[')


class NotAnAnswer(Exception):
    """Something came, such as a web page, that is neither events nor JSON. ``head`` begins it."""

    def __init__(self, head: str) -> None:
        super().__init__(head)
        self.head = head


class Frame(NamedTuple):
    """``is_error``: the server has marked it as one."""

    data: bytes
    is_error: bool = False


async def frames(pieces: AsyncIterable[bytes]) -> AsyncIterator[Frame]:
    """The frames of an answer, each as soon as it is there.

    Raises:
        EventTooLarge: one of them, or all that is no event, is too long.
        NotAnAnswer: there was something, but no frame in it.
    """
    rest = aiter(pieces)
    first = await _start(rest)
    if first.startswith(_DOCUMENTS):
        for document in _documents(await _whole(first, rest)):
            yield Frame(document)
        return
    found = False
    reader = EventReader()
    piece: bytes | None = first
    while piece is not None:
        for event in reader.take(piece):
            found = True
            if _is_frame(event):
                yield _frame(event)
        piece = await anext(rest, None)
    for event in reader.end():
        found = True
        if _is_frame(event):
            yield _frame(event)
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


async def _start(pieces: AsyncIterator[bytes]) -> bytes:
    """The first bytes, without a byte order mark and the blank lines that keep a connection alive
    meanwhile; empty when there are none."""
    start = b""
    async for piece in pieces:
        start += piece
        if _BOM.startswith(start):
            continue
        start = start.removeprefix(_BOM).lstrip(_BLANK)
        if start:
            return start
    return b""


def _is_frame(event: ServerEvent) -> bool:
    """Whether it says more than that the server is alive."""
    return bool(event.data) and event.name not in _SIGNS_OF_LIFE


def _frame(event: ServerEvent) -> Frame:
    return Frame(_content(event.data), event.name == "error")


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
