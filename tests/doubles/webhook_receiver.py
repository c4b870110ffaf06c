"""A receiver of webhooks on this machine, which verifies what it gets as its makers are told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

from tests.doubles.listening import listening


@dataclass(frozen=True, slots=True)
class Received:
    """``at`` is a reading of the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """What was said; raises unless it was signed with the secret."""
        return dict(Webhook(secret).verify(self.body, self.headers))


@dataclass
class Receiver:
    """``answer`` gives the head of the answer to a request, from the status on; a number is a
    status alone. With None it hangs."""

    answer: Callable[[Received], str | int | None] = lambda _: 204
    received: list[Received] = field(default_factory=list)
    port: int = 0
    most_at_once: int = 0
    _now: int = 0

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def once(self, count: int, seconds: float = 60.0) -> list[Received]:
        """What was received, as soon as it is so many."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                await asyncio.sleep(0.02)
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(": ") for line in head[1:] if line)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            got = Received(head[0].split(" ")[1], headers, body, asyncio.get_running_loop().time())
            self.received.append(got)
            said = self.answer(got)
            if said is None:
                await asyncio.Event().wait()
            head_of_answer = said if isinstance(said, str) else f"{said} Said\r\n"
            writer.write(f"HTTP/1.1 {head_of_answer}Content-Length: 4\r\n\r\nwell".encode())
            await writer.drain()
            writer.close()
        except (OSError, EOFError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._now -= 1


@asynccontextmanager
async def webhook_receiver(port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with listening(receiver.serve, port=port) as receiver.port:
        yield receiver
