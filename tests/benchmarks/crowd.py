"""Many viewers of one task, in a process of their own: ``python -m tests.benchmarks.crowd``.

They speak HTTP over bare sockets, and leave what they are sent unread but for a few, so that they
take little of the processor that the server is measured on. A line of JSON tells when all have
joined; another, once all streams have ended, what came.
"""

import asyncio
import json
import os
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

JOIN_AT_ONCE = 20
WATCHES = 20
"""One of so many viewers notes how late events come."""

_CREATED = re.compile(rb'event: (\S+)\ndata: .*"created_at": "([^"]+)"')


@dataclass
class Seen:
    joined: int = 0
    refused: int = 0
    events: list[int] = field(default_factory=list)
    """How many each viewer was sent."""
    first_ms: list[float] = field(default_factory=list)
    """How late the first words came, of each viewer that notes it."""
    late_ms: list[float] = field(default_factory=list)
    """How late any words came."""


async def main(url: str, path: str, count: int) -> None:
    os.nice(10)
    began, seen, gate = time.perf_counter(), Seen(), asyncio.Semaphore(JOIN_AT_ONCE)
    viewers = [
        asyncio.create_task(_view(url, path, seen, gate, notes=number % WATCHES == 0))
        for number in range(count)
    ]
    while seen.joined + seen.refused < count:
        await asyncio.sleep(0.01)
    joined = {"joined": seen.joined, "refused": seen.refused}
    _tell(joined | {"seconds": time.perf_counter() - began})
    await asyncio.gather(*viewers)
    _tell(asdict(seen))


async def _view(url: str, path: str, seen: Seen, gate: asyncio.Semaphore, *, notes: bool) -> None:
    address = urlsplit(url)
    async with gate:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        is_admitted = b" 200 " in await reader.readline()
    seen.joined += is_admitted
    seen.refused += not is_admitted
    events, has_words, end = 0, False, b""
    while is_admitted and not end.endswith(b"0\r\n\r\n"):
        chunk = await reader.read(65_536)
        if not chunk:
            break
        events += (end[-4:] + chunk).count(b"\nid: ")
        end = (end + chunk)[-5:]
        if notes:
            has_words = _note(chunk, seen, has_words=has_words)
    seen.events.append(events)
    writer.close()


def _note(chunk: bytes, seen: Seen, *, has_words: bool) -> bool:
    now = time.time()
    for kind, created_at in _CREATED.findall(chunk):
        if kind == b"llm.delta":
            late_ms = (now - datetime.fromisoformat(created_at.decode()).timestamp()) * 1_000
            (seen.late_ms if has_words else seen.first_ms).append(late_ms)
            has_words = True
    return has_words


def _tell(found: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
