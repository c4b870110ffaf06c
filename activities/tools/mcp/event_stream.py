"""Server-sent events of an MCP server, passed on whole as long as they keep within bounds."""

import re
from collections.abc import AsyncIterator

import httpx2
from mcp_types import RequestId

from activities.tools.mcp.bounds import (
    TOO_LONG,
    TOO_MANY_VALUES,
    TOO_OFTEN,
    Flow,
    has_too_many_values,
)
from activities.tools.mcp.failures import Failure, failure_document
from activities.tools.mcp.limits import MAX_MESSAGE_BYTES
from activities.tools.mcp.messages import Awaited, is_answer, repaired

# An empty line ends an event. Atomic: `\r\n` alone is one end of line, never two.
_END = re.compile(rb"(?>\r\n|\n|\r){2}")
_END_BYTES = 4
_DATA = b"data:"
_NAME = b"event:"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BoundedEvents(httpx2.AsyncByteStream):
    """The events of a stream. In place of one that is out of bounds comes a failure, and the end:
    an error raised here would tell nobody why. ``awaited`` are the requests that it may answer."""

    def __init__(self, inner: httpx2.AsyncByteStream, flow: Flow, awaited: Awaited) -> None:
        self._inner = inner
        self._flow = flow
        self._awaited = awaited

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = bytearray()
        is_first = True
        async for chunk in self._inner:
            looked_through = max(0, len(held) - _END_BYTES)
            held += chunk.removeprefix(_BYTE_ORDER_MARK) if is_first else chunk
            is_first = False
            begin = 0
            for end in _END.finditer(held, looked_through):
                event = held[begin : end.end()]
                if (fault := self._fault(event)) is not None:
                    yield failure_event(f"it sent {fault}")
                    return
                yield _readable(bytes(event), self._awaited)
                begin = end.end()
            del held[:begin]
            if len(held) > MAX_MESSAGE_BYTES:
                yield failure_event(f"it sent {TOO_LONG}")
                return
        if (last := _last_event(bytes(held))) is not None and self._fault(bytearray(last)) is None:
            yield _readable(last, self._awaited)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _fault(self, event: bytearray) -> str | None:
        if not self._flow.has_room():
            return TOO_OFTEN
        if len(event) > MAX_MESSAGE_BYTES:
            return TOO_LONG
        return TOO_MANY_VALUES if has_too_many_values(event) else None


def _last_event(held: bytes) -> bytes | None:
    """What a stream ends with, as an event: many a server leaves out the empty line after it, and
    some send JSON alone."""
    if held.lstrip().startswith((b"{", b"[")):
        held = b"\n".join(b"data: %b" % line for line in held.splitlines())
    return held + b"\n\n" if _DATA in held else None


def _readable(event: bytes, awaited: Awaited) -> bytes:
    """The event with its message mended, or an event for each message of a batch."""
    lines = event.splitlines()
    data = [line[len(_DATA) :].removeprefix(b" ") for line in lines if line.startswith(_DATA)]
    whole = b"\n".join(data)
    has_name = any(
        line.startswith(_NAME) and line[len(_NAME) :].strip() != b"message" for line in lines
    )
    messages = repaired(whole, awaited) if data else ()
    if not messages and has_name and is_answer(whole):
        messages = (whole,)  # The SDK passes over events of any other name.
    if not messages:
        return event
    head = [line for line in lines if line and not line.startswith((_DATA, _NAME))]
    return b"".join(b"\n".join((*head, b"data: %b\n\n" % message)) for message in messages)


def failure_event(
    reason: str, code: Failure = Failure.UNUSABLE, request_id: RequestId | None = None
) -> bytes:
    return b"data: %b\n\n" % failure_document(code, reason, request_id)
