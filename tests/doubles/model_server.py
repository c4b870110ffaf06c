"""A server of models that does what a script says, over real sockets.

It speaks HTTP/1.1 itself, byte by byte: a test must be able to send what no framework would.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.listening import listening

Json = dict[str, Any]
Act = Callable[["Exchange"], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """What a client sent. ``connection`` numbers the sockets from 0."""

    method: str
    path: str
    headers: dict[str, str]
    body: Json
    connection: int


class Exchange:
    """One request, and the means to answer it."""

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer

    async def head(self, status: int = 200, **headers: str) -> None:
        """The status line and headers of a chunked answer; underscores stand for hyphens."""
        fields = {"content_type": "text/event-stream", "transfer_encoding": "chunked", **headers}
        lines = [f"HTTP/1.1 {status} {status}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send(self, data: bytes) -> None:
        """One HTTP chunk."""
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, data: Json | str) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        await self.send(f"data: {text}\n\n".encode())

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    def drop(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    async def until_disconnect(self) -> None:
        while await self._reader.read(65_536):
            pass


def delta(finish: str | None = None, /, **fields: Any) -> Json:
    """A chunk with a delta of these fields."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "delta": fields, "finish_reason": finish}],
    }


def usage(prompt_tokens: int, completion_tokens: int) -> Json:
    """The chunk that tells of tokens."""
    total = prompt_tokens + completion_tokens
    counted = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return delta() | {"choices": [], "usage": counted | {"total_tokens": total}}


def call(index: int | None = None, /, **fields: Any) -> Json:
    """A piece of a tool call: ``id``, ``name`` and ``arguments``, each if given."""
    function = {name: fields[name] for name in ("name", "arguments") if name in fields}
    piece: Json = {"function": function} if function else {}
    if "id" in fields:
        piece |= {"id": fields["id"], "type": "function"}
    return piece if index is None else {"index": index, **piece}


def events(*data: Json | str, done: bool = True) -> Act:
    """Stream these as events; [DONE] follows unless told otherwise."""

    async def act(exchange: Exchange) -> None:
        await exchange.head()
        for item in data:
            await exchange.event(item)
        if done:
            await exchange.event("[DONE]")
        await exchange.end()

    return act


def text(*pieces: str, finish: str = "stop", tokens: tuple[int, int] | None = (10, 5)) -> Act:
    """An answer in these pieces."""
    counted = [usage(*tokens)] if tokens else []
    return events(*(delta(content=piece) for piece in pieces), delta(finish), *counted)


def calls(*pieces: Json, finish: str = "tool_calls") -> Act:
    """An answer that asks for tools; each piece is a chunk of its own."""
    return events(*(delta(tool_calls=[piece]) for piece in pieces), delta(finish), usage(10, 5))


def json_answer(body: object, status: int = 200, **headers: str) -> Act:
    """An answer that is no stream, such as an error."""

    async def act(exchange: Exchange) -> None:
        await exchange.head(status, **{"content_type": "application/json", **headers})
        await exchange.send(json.dumps(body).encode())
        await exchange.end()

    return act


def refusal(status: int, message: str = "no", code: str | None = None, **headers: str) -> Act:
    """An error in the words of OpenAI."""
    error = {"message": message, "type": "error", "param": None, "code": code}
    return json_answer({"error": error}, status, **headers)


@dataclass
class ModelServer:
    """``script`` holds the answers to come, in order; after the last one comes ``otherwise``.

    ``requests`` is what it was asked; ``disconnected`` is set when a client goes away while it is
    being answered.
    """

    url: str
    script: list[Act] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    otherwise: Act = field(default_factory=lambda: text("ok"))

    def answers(self, *acts: Act) -> None:
        self.script.extend(acts)

    @property
    def asked(self) -> list[str]:
        """The models that were asked, in order."""
        return [request.body["model"] for request in self.requests if request.body]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.connections = self.connections, self.connections + 1
        try:
            while True:
                request = await _read_request(reader, number)
                self.requests.append(request)
                act = self.script.pop(0) if self.script else self.otherwise
                await act(Exchange(request, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(content or b"{}"), connection)


@asynccontextmanager
async def model_server(acts: Sequence[Act] = ()) -> AsyncIterator[ModelServer]:
    """Serve on a free port of 127.0.0.1."""
    served = ModelServer("", list(acts))
    async with listening(served.serve, limit=2**24) as port:
        served.url = f"http://127.0.0.1:{port}/v1"
        yield served
