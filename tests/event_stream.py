"""Server-sent events as tests read them: plainly, whatever the client of the product does."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class SentEvent:
    """``id`` is empty where none was sent."""

    id: str
    type: str
    data: Mapping[str, Any]


async def events_in(response: httpx.Response) -> AsyncIterator[SentEvent]:
    """The server-sent events of a streamed answer."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line == "":
            if "data" in fields:
                yield SentEvent(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            fields = {}
        elif name:
            fields[name] = value
