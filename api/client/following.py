"""Server-sent events over connections that break: each resumes where the last one ended."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import httpx2

from api.client.errors import ApiProblem
from api.client.sse import ServerEvent, events_in
from api.client.transport import PASSING_STATUSES, Transport, reason_of
from workflows.backoff import Backoff

# The API sends a heartbeat more often than that; without one the connection is as good as cut.
SILENCE_SECONDS = 60.0
# A connection that held for so long was a good one, even if nothing happened meanwhile.
SETTLED_SECONDS = 15.0
# An API that does not come back for so long is not being restarted.
PATIENCE_SECONDS = 120.0
BACKOFF = Backoff(first_seconds=0.1, longest_seconds=5.0)


class _NothingMore(Exception):
    """The client has seen every event, and no other will follow."""


async def follow(
    transport: Transport,
    path: str,
    *,
    is_last: Callable[[ServerEvent], bool],
    on_lost: Callable[[str], None],
) -> AsyncGenerator[ServerEvent, None]:
    """The events of ``path``, until the server says that there are no more.

    It does so with 204, or by ending them after one that ``is_last``.
    ``on_lost`` is called with the reason when a connection ends, before the next one is tried.

    Raises:
        ApiProblem: the API said no.
        NotTheApi: something else answers.
        ApiUnreachable: no connection for two minutes.
    """
    last: ServerEvent | None = None
    alive_at = time.monotonic()
    pauses = BACKOFF.pauses(random.uniform)
    while True:
        opened_at = time.monotonic()
        lost: httpx2.TransportError | ApiProblem | None = None
        connection = _connection(transport, path, last.id if last else None)
        try:
            async with aclosing(connection):
                async for event in connection:
                    last, alive_at = event, time.monotonic()
                    yield event
        except _NothingMore:
            return
        except httpx2.TransportError as error:
            lost = error
        except ApiProblem as problem:
            if problem.status not in PASSING_STATUSES:
                raise
            lost = problem
        if lost is None and last is not None and is_last(last):
            return
        if time.monotonic() - opened_at > SETTLED_SECONDS:
            alive_at = time.monotonic()
        if alive_at >= opened_at:
            pauses = BACKOFF.pauses(random.uniform)
        if time.monotonic() - alive_at > PATIENCE_SECONDS:
            raise transport.unreachable(lost or ConnectionError("it ends the events at once"))
        on_lost(reason_of(lost) if lost else "the server ended it")
        await asyncio.sleep(next(pauses))


async def _connection(
    transport: Transport, path: str, last_id: str | None
) -> AsyncGenerator[ServerEvent, None]:
    headers = {"Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    async with transport.stream(
        path, headers=headers, read_timeout_seconds=SILENCE_SECONDS
    ) as response:
        if response.status_code == httpx2.codes.NO_CONTENT:
            raise _NothingMore
        async for event in events_in(response, last_id):
            yield event
