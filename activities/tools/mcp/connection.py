"""One connection, and the task that owns it.

The SDK wants a connection to be opened and closed by one task. So there is an owner: work comes to
it through a queue and runs in tasks of its own beside all other, and whoever asked waits for a
future. What breaks the connection breaks the owner, never the task of who asked: the SDK's way to
say so, a cancellation, would pass there for that of an activity.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from mcp import MCPError
from mcp.client import Client, ClientSession

from activities.tools.mcp.config import McpServer
from activities.tools.mcp.limits import CONNECT_TIMEOUT_SECONDS
from activities.tools.mcp.listing import Listing, clean_text
from activities.tools.mcp.opening import Opener
from activities.tools.mcp.watching import OnListing, ToolWatch
from workflows.errors import AgentOSError, McpUnavailable

Result = TypeVar("Result")
Work = Callable[[ClientSession], Coroutine[Any, Any, Result]]

# Cancelled calls tell the server, for which the SDK takes five seconds at most.
_FAREWELL_SECONDS = 6.0
_CLOSING_SECONDS = 20.0
_MAX_REASON_CHARACTERS = 300

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The connection ended before the work began: it can be done on another one."""


class Disconnected(Exception):
    """The connection ended while the work was done."""


@dataclass(frozen=True, slots=True)
class _Request(Generic[Result]):
    work: Work[Result]
    future: asyncio.Future[Result]


class Connection:
    """Opens at once, and closes by itself when nothing was asked for ``idle_seconds``."""

    def __init__(
        self, server: McpServer, opener: Opener, on_listing: OnListing, idle_seconds: float
    ) -> None:
        loop = asyncio.get_running_loop()
        self._server = server
        self._opener = opener
        self._watch = ToolWatch(server.name, on_listing)
        self._idle_seconds = idle_seconds
        self._queue: asyncio.Queue[_Request[Any] | None] = asyncio.Queue()
        self._calls: set[asyncio.Task[Any]] = set()
        self._listing: asyncio.Future[Listing] = loop.create_future()
        self._end_told: str | None = None
        self.is_open = True
        self.used_at_seconds = loop.time()
        self._owner = asyncio.create_task(self._own(), name=f"mcp server {server.name}")

    @property
    def is_busy(self) -> bool:
        return bool(self._calls) or not self._queue.empty()

    @property
    def is_gone(self) -> bool:
        return self._owner.done()

    @property
    def reason(self) -> str:
        """Why it ended."""
        return self._end_told or "the connection was closed"

    async def run(self, work: Work[Result]) -> Result:
        """Have work done in this connection. Who stops waiting for it cancels it.

        Raises:
            AgentOSError: the connection could not be opened.
            NotSent, Disconnected: it ended.
        """
        if not self.is_open:
            raise NotSent
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Request(work, future))
        return await future

    async def listing(self) -> Listing:
        """The tools that were there when it opened. Raises as ``run``."""
        return await asyncio.shield(self._listing)

    def retire(self) -> None:
        """Take no more work, and close once that which runs is done."""
        if self.is_open:
            self.is_open = False
            self._queue.put_nowait(None)

    async def close(self) -> None:
        """End all work, and return when the server is gone."""
        self.is_open = False
        self._owner.cancel()
        await asyncio.wait([self._owner], timeout=_CLOSING_SECONDS)

    def _on_end(self, reason: str) -> None:
        """The transport says that there will be no more messages."""
        if self.is_open:
            self._end_told = reason
        self.retire()

    async def _own(self) -> None:
        error: AgentOSError | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS) as limit:
                opening = self._opener.client(self._server, self._on_end, self._watch)
                async with opening as client:
                    self._listing.set_result(await self._watch.first(client))
                    limit.reschedule(None)
                    log.info("mcp.connected", server=self._server.name)
                    await self._serve(client)
        except TimeoutError:
            reason = f"it gave no answer within {CONNECT_TIMEOUT_SECONDS:g} s"
            error = McpUnavailable(server=self._server.name, reason=reason)
        except Exception as failure:  # noqa: BLE001
            # The SDK raises what it likes, in groups. Whoever waits must learn of the end in any
            # case, and this task has nobody else to tell.
            error = self._unavailable(failure)
        finally:
            self._settle_all(error)

    async def _serve(self, client: Client) -> None:
        watch = asyncio.create_task(self._watch.run(client, self._listing.result()))
        try:
            while (request := await self._next()) is not None:
                self._start(request, client.session)
            if self._calls:
                await asyncio.wait(self._calls)
        finally:
            self.is_open = False
            left = [watch, *self._calls]
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_FAREWELL_SECONDS)

    async def _next(self) -> _Request[Any] | None:
        """None when it is time to end."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle_seconds):
                    return await self._queue.get()
            if not self._calls:
                return None

    def _start(self, request: _Request[Any], session: ClientSession) -> None:
        if request.future.cancelled():
            return
        task = asyncio.create_task(request.work(session))
        self._calls.add(task)
        task.add_done_callback(partial(self._settle, request.future))
        request.future.add_done_callback(partial(_pass_cancellation, task))

    def _settle(self, future: asyncio.Future[Any], task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        self.used_at_seconds = asyncio.get_running_loop().time()
        error = Disconnected() if task.cancelled() else task.exception()
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())

    def _settle_all(self, error: AgentOSError | None) -> None:
        """Whoever still waits for the connection learns that it will not be."""
        self.is_open = False
        was_connected = self._listing.done()
        if not was_connected:
            self._listing.set_exception(error or NotSent())
            self._listing.exception()  # Nobody need have asked.
        while not self._queue.empty():
            request = self._queue.get_nowait()
            if request is not None and not request.future.done():
                request.future.set_exception(NotSent() if was_connected or error is None else error)
        log.info("mcp.disconnected", server=self._server.name, reason=self.reason)

    def _unavailable(self, error: BaseException) -> AgentOSError:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, AgentOSError):
            return error
        reason = f"the connection failed with {type(error).__name__}"
        if isinstance(error, MCPError):
            reason = self._end_told or clean_text(error.message)[:_MAX_REASON_CHARACTERS]
        return McpUnavailable(server=self._server.name, reason=reason)


def _pass_cancellation(task: asyncio.Task[Any], future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        task.cancel()
