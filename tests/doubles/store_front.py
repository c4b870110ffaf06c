"""The S3 store, with somebody at its door who counts the requests, and turns some away."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.doubles.listening import listening
from tests.doubles.passing_on import pass_on_both

_REQUEST = re.compile(rb"^([A-Z]+) /\S* HTTP/1\.1\r$", re.MULTILINE)


@dataclass(slots=True)
class StoreFront:
    """``made`` counts requests by their method. Of so many, one is ``turned_away``: its connection
    is closed. 0 is none."""

    endpoint: str = ""
    made: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0

    def hear(self, data: bytes) -> None:
        for method in _REQUEST.findall(data):
            self.made[method.decode()] += 1
            if self.turned_away and self.made.total() % self.turned_away == 0:
                raise ConnectionAbortedError


@asynccontextmanager
async def store_front(port: int) -> AsyncIterator[StoreFront]:
    """Before the store at that port of this machine."""
    front = StoreFront()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", port)
        await pass_on_both((reader, writer), inner, front.hear)

    async with listening(serve) as own:
        front.endpoint = f"http://127.0.0.1:{own}"
        yield front
