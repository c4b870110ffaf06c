"""Models that say in each conversation what its test wrote for it, over true HTTP."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.model_server import (
    Act,
    Exchange,
    ModelServer,
    Request,
    delta,
    events,
    refusal,
    usage,
)

_TAG = re.compile(r"\[conversation ([0-9a-f]{32})\]")

# A tool and its arguments: an object, or a text that is sent as it stands.
Wanted = tuple[str, dict[str, Any] | str]


def asks(*wanted: Wanted, text: str = "", tokens: tuple[int, int] = (10, 5)) -> Act:
    """An answer that says ``text`` and calls these tools; each call has an id of its own."""
    requests = []
    for index, (name, given) in enumerate(wanted):
        arguments = given if isinstance(given, str) else json.dumps(given)
        function = {"name": name, "arguments": arguments}
        request = {"index": index, "id": f"call_{uuid.uuid4().hex}", "type": "function"}
        requests.append({**request, "function": function})
    said = [delta(content=text)] if text else []
    called = [delta(tool_calls=[request]) for request in requests]
    reason = "tool_calls" if wanted else "stop"
    return events(*said, *called, delta(reason), usage(*tokens))


def finishes(summary: str = "Done.", **more: Any) -> Act:
    return asks(("finish", {"summary": summary, **more}))


class Endless:
    """An answer that begins and does not end until the client goes away."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.begun = asyncio.Event()
        self.left = asyncio.Event()
        self.left_at = 0.0

    async def __call__(self, exchange: Exchange) -> None:
        try:
            if self._words:
                await exchange.head()
            for word in self._words:
                await exchange.event(delta(content=word))
            self.begun.set()
            await exchange.until_disconnect()
        finally:
            self.left_at = time.monotonic()
            self.left.set()


class Held:
    """An answer that does not begin before ``go_on`` is set."""

    def __init__(self, answer: Act) -> None:
        self._answer = answer
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.begun.set()
        await self.go_on.wait()
        await self._answer(exchange)


@dataclass
class Conversation:
    """What models say in one task, answer by answer, and what they were asked. After the last
    answer comes ``otherwise``: by default a refusal."""

    answers: list[Act]
    otherwise: Act = field(default_factory=lambda: refusal(400, "the script is at its end"))
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    requests: list[Request] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)

    def prompt(self, text: str = "Do it.") -> str:
        """``text``, with a mark by which the conversation is known."""
        return f"{text} [conversation {self.tag}]"

    @property
    def models(self) -> list[str]:
        """The models that were asked, in order."""
        return [request.body["model"] for request in self.requests]

    def messages(self, number: int = -1) -> list[dict[str, Any]]:
        """What a request held; the last one, unless told otherwise."""
        return list(self.requests[number].body["messages"])

    def results(self, number: int = -1) -> list[str]:
        """The results of tools that the model read last in a request, in their order."""
        results: list[str] = []
        for message in reversed(self.messages(number)):
            if message["role"] == "assistant":
                break
            if message["role"] == "tool":
                results.insert(0, message["content"])
        return results


class ScriptedModels:
    """The server. What belongs to no conversation, or is past the end of one, it refuses."""

    def __init__(self) -> None:
        self._conversations: dict[str, Conversation] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._served = ModelServer("", otherwise=self._answer)
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def conversation(self, *answers: Act) -> Conversation:
        """One in which these answers are given, in order."""
        begun = Conversation(list(answers))
        self._conversations[begun.tag] = begun
        return begun

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=2**24)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and cut those that there are."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._served.serve(reader, writer)
        finally:
            self._writers.discard(writer)

    async def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        said: Sequence[dict[str, Any]] = request.body.get("messages", ())
        found = next(filter(None, (_TAG.search(str(item.get("content"))) for item in said)), None)
        conversation = self._conversations.get(found[1]) if found else None
        if conversation is None:
            await refusal(400, "nobody wrote a script for this conversation")(exchange)
            return
        conversation.requests.append(request)
        conversation.asked_at.append(time.monotonic())
        rest = conversation.answers
        await (rest.pop(0) if rest else conversation.otherwise)(exchange)


@asynccontextmanager
async def scripted_models() -> AsyncIterator[ScriptedModels]:
    """Serve on a free port of 127.0.0.1."""
    models = ScriptedModels()
    await models.start()
    try:
        yield models
    finally:
        with suppress(ConnectionError):
            await models.stop()
