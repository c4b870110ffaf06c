"""Server-sent events of an MCP server, passed on whole as long as they keep within bounds."""

import re
from collections.abc import AsyncIterator

import httpx2

from activities.tools.mcp.bounds import (
    TOO_LONG,
    TOO_MANY_VALUES,
    TOO_OFTEN,
    Flow,
    has_too_many_values,
)
from activities.tools.mcp.failures import Failure, failure_document
from activities.tools.mcp.limits import MAX_MESSAGE_BYTES

# An empty line ends an event. Atomic: `\r\n` alone is one end of line, never two.
_END = re.compile(rb"(?>\r\n|\n|\r){2}")
_END_BYTES = 4


class BoundedEvents(httpx2.AsyncByteStream):
    """The events of a stream. In place of one that is out of bounds comes a failure, and the end:
    an error raised here would tell nobody why."""

    def __init__(self, inner: httpx2.AsyncByteStream, flow: Flow) -> None:
        self._inner = inner
        self._flow = flow

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = bytearray()
        async for chunk in self._inner:
            looked_through = max(0, len(held) - _END_BYTES)
            held += chunk
            begin = 0
            for end in _END.finditer(held, looked_through):
                if (fault := self._fault(held[begin : end.end()])) is not None:
                    yield _failure_event(fault)
                    return
                begin = end.end()
            if begin:
                yield bytes(held[:begin])
                del held[:begin]
            if len(held) > MAX_MESSAGE_BYTES:
                yield _failure_event(TOO_LONG)
                return

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _fault(self, event: bytearray) -> str | None:
        if not self._flow.has_room():
            return TOO_OFTEN
        if len(event) > MAX_MESSAGE_BYTES:
            return TOO_LONG
        return TOO_MANY_VALUES if has_too_many_values(event) else None


def _failure_event(fault: str) -> bytes:
    return b"data: %b\n\n" % failure_document(Failure.UNUSABLE, f"it sent {fault}")
