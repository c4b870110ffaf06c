"""An MCP server of streamable HTTP with sessions (2025-11-25), which answers as a test says.

It speaks HTTP/1.1 itself, byte by byte: a test must be able to send what no framework would.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.doubles.listening import listening

Json = dict[str, Any]
_JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """``message`` is empty for what is no POST."""

    verb: str
    path: str
    headers: dict[str, str]
    message: Json

    @property
    def method(self) -> str:
        return str(self.message.get("method", self.verb))


@dataclass
class Exchange:
    asked: Asked
    _writer: asyncio.StreamWriter

    async def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Underscores in names of headers stand for hyphens."""
        fields = {"content_length": str(len(body)), **headers}
        await self.head(status, **fields)
        await self.raw(body)

    async def head(self, status: int, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def result(self, result: Json, **headers: str) -> None:
        message = {"jsonrpc": "2.0", "id": self.asked.message["id"], "result": result}
        await self.answer(200, json.dumps(message).encode(), content_type=_JSON, **headers)

    async def error(self, code: int, text: str, status: int = 200) -> None:
        error = {"code": code, "message": text}
        message = {"jsonrpc": "2.0", "id": self.asked.message.get("id"), "error": error}
        await self.answer(status, json.dumps(message).encode(), content_type=_JSON)

    def end(self) -> None:
        """Nothing more comes, of a body without a length."""
        self._writer.close()

    def cut(self) -> None:
        self._writer.transport.abort()


Act = Callable[[Exchange], Awaitable[None]]


@dataclass
class Double:
    """``acts`` by method of the protocol, or HTTP's own, in place of a sound answer."""

    port: int = 0
    acts: dict[str, Act] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def asked_for(self, method: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await read_request(reader)
                self.asked.append(asked)
                exchange = Exchange(asked, writer)
                await self.acts.get(asked.method, self.behave)(exchange)

    async def behave(self, exchange: Exchange) -> None:
        """What a sound server does."""
        asked = exchange.asked
        session = asked.headers.get("mcp-session-id")
        if session is not None and session not in self.sessions:
            await exchange.error(-32_600, "Session not found", 404)
            return
        match asked.method:
            case "initialize":
                session = uuid4().hex
                self.sessions.add(session)
                result = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "double", "version": "1"},
                }
                await exchange.result(result, mcp_session_id=session)
            case "tools/list":
                schema = {"type": "object"}
                await exchange.result({"tools": [{"name": "echo", "inputSchema": schema}]})
            case "tools/call":
                words = asked.message["params"]["arguments"].get("text", "")
                await exchange.result({"content": [{"type": "text", "text": words}]})
            case "GET":
                await exchange.answer(405)
            case "DELETE":
                await exchange.answer(200)
            case method if "id" in asked.message:
                await exchange.error(-32_601, f"no {method}")
            case _:
                await exchange.answer(202)


async def read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    verb, path, _ = head[0].split(" ")
    pairs = (line.partition(": ") for line in head[1:] if line)
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(verb, path, headers, json.loads(body) if body else {})


@asynccontextmanager
async def doubled(double: Double | None = None) -> AsyncIterator[Double]:
    double = double or Double()
    async with listening(double.serve) as double.port:
        yield double
