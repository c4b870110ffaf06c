"""An MCP server of HTTP+SSE (2024-11-05): requests are posted to an address that a stream names
first, and all answers come on that stream. It knows no other transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

from tests.doubles import mcp_odd
from tests.doubles.listening import listening
from tests.doubles.mcp_http import Asked, read_request


@dataclass
class SseDouble:
    """``oddity`` is one of `mcp_odd`. A method in ``refused`` is answered with HTTP's own no."""

    port: int = 0
    oddity: str = ""
    refused: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    _stream: asyncio.StreamWriter | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sse"

    def cut(self) -> None:
        assert self._stream is not None
        self._stream.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await read_request(reader)
                self.asked.append(asked)
                if asked.verb == "GET" and asked.path == "/sse":
                    self._stream = writer
                    await _send(writer, "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\n")
                    await _send(writer, "event: endpoint\ndata: /messages?session=1\n\n")
                elif asked.path.startswith("/messages"):
                    await self._take(asked, writer)
                else:
                    await _answer(writer, 405, b'{"detail":"Method Not Allowed"}')

    async def _take(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        status = self.refused.get(asked.method, 202)
        await _answer(writer, status, b"Accepted")
        said = mcp_odd.answers(self.oddity, asked.message)
        if status == 202 and said and self._stream is not None:
            await _send(self._stream, f"event: message\ndata: {said.decode()}\n\n")


async def _send(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode())
    await writer.drain()


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    kind = "application/json" if status >= 400 else "text/plain"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    await _send(writer, head + body.decode())


@asynccontextmanager
async def sse_doubled(double: SseDouble | None = None) -> AsyncIterator[SseDouble]:
    double = double or SseDouble()
    async with listening(double.serve) as double.port:
        yield double
