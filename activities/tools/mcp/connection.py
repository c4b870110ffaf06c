"""One connection, and the task that owns it.

The SDK wants a connection to be opened and closed by one task, and when it breaks, cancels that
task: to an activity this would look like a cancellation of its own. So there is an owner, which
opens, waits and closes. Work runs beside it, each in a task of its own, and whoever asked for it
learns what became of it, or that the connection ended.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

import structlog
from mcp import MCPError
from mcp.client import Client, ClientSession
from pydantic import ValidationError

from activities.tools.mcp.asking import Askers
from activities.tools.mcp.failures import failure_of
from activities.tools.mcp.last_words import LastWords, shown
from activities.tools.mcp.listing import Listing, clean_text
from activities.tools.mcp.opening import Listeners, Opener
from activities.tools.mcp.options import PoolOptions
from activities.tools.mcp.redaction import Redactor
from activities.tools.mcp.watching import OnListing, ToolWatch
from workflows.definitions.mcp_server import McpServer
from workflows.errors import AgentOSError
from workflows.errors.mcp import McpStartTimedOut, McpUnavailable

Result = TypeVar("Result")
Work = Callable[[ClientSession, Askers], Coroutine[Any, Any, Result]]

# Cancelled calls tell the server, for which the SDK takes five seconds at most.
_FAREWELL_SECONDS = 6.0
_CLOSING_SECONDS = 20.0
_PLACE_CHARACTERS = 200

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The connection ended before the work began: it can be done on another one."""


class Disconnected(Exception):
    """The connection ended while the work was done."""


class Connection:
    """Opens at once, and closes when nothing was asked for ``idle_seconds``."""

    def __init__(
        self,
        team_id: UUID,
        server: McpServer,
        opener: Opener,
        on_listing: OnListing,
        options: PoolOptions,
    ) -> None:
        self._team_id = team_id
        self._server = server
        # Until it is opened nothing is given to the server, and nothing is heard of it.
        self.redacted = Redactor({})
        self._opener = opener
        self._watch = ToolWatch(
            server.name, lambda listing: on_listing(self.redacted.listing(listing))
        )
        self._idle_seconds = options.idle_seconds
        self._start_seconds = options.start_seconds
        self._clock = asyncio.get_running_loop().time
        self._opened: asyncio.Future[tuple[ClientSession, Listing]] = asyncio.Future()
        self._is_to_end = asyncio.Event()
        self._calls: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._end_told: str | None = None
        self._refusal = "it refused to connect"
        self._last_words = LastWords()
        self._askers = Askers(lambda text: self.redacted(clean_text(text)), options.patience)
        self.is_open = True
        self.used_at_seconds = self._clock()
        self._owner = asyncio.create_task(self._own(), name=f"mcp server {server.name}")

    @property
    def is_busy(self) -> bool:
        return bool(self._calls) or self._waiting > 0

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
        self._waiting += 1
        try:
            session, _ = await asyncio.shield(self._opened)
        finally:
            self._waiting -= 1
        if not self.is_open:
            raise NotSent
        task = asyncio.create_task(work(session, self._askers))
        self._calls.add(task)
        task.add_done_callback(self._on_done)
        try:
            # Shielded: the server is notified of a cancellation, but nobody has to wait for that.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # By the owner: our own cancellation has not reached it yet.
                raise Disconnected from None
            task.cancel()
            raise

    async def listing(self) -> Listing:
        """The tools that were there when it opened, redacted. Raises as ``run``."""
        _, listing = await asyncio.shield(self._opened)
        return self.redacted.listing(listing)

    def retire(self) -> None:
        """Take no more work, and close once that which runs is done."""
        self.is_open = False
        self._is_to_end.set()

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

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        self.used_at_seconds = self._clock()
        if not task.cancelled():
            task.exception()  # Nobody asks for that of a call which was given up.

    async def _own(self) -> None:
        error: BaseException = NotSent()
        log.info("mcp.connecting", server=self._server.name)
        try:
            async with asyncio.timeout(self._start_seconds) as limit:
                listeners = Listeners(
                    on_end=self._on_end,
                    on_message=self._watch,
                    on_question=self._askers.ask,
                    last_words=self._last_words,
                    start_seconds=self._start_seconds,
                )
                secrets = await self._opener.secrets(self._team_id, self._server)
                self.redacted = Redactor(secrets)
                async with self._opener.client(self._server, secrets, listeners) as client:
                    self._refusal = "it refused to list its tools"
                    self._opened.set_result((client.session, await self._watch.first(client)))
                    limit.reschedule(None)
                    self._last_words.forget()
                    log.info("mcp.connected", server=self._server.name)
                    await self._stay(client)
        except TimeoutError:
            error = McpStartTimedOut(
                server=self._server.name, seconds=self._start_seconds, said=self._said()
            )
        except Exception as failure:  # noqa: BLE001
            # The SDK raises what it likes, in groups. Whoever waits must learn of the end in any
            # case, and this task has nobody else to tell.
            error = self._unavailable(failure)
        finally:
            self.is_open = False
            if not self._opened.done():
                self._opened.set_exception(error)
                self._opened.exception()  # Nobody need have asked.
            log.info("mcp.disconnected", server=self._server.name, reason=self.reason)

    async def _stay(self, client: Client) -> None:
        """Stay open until closed or idle for long; end running calls unless they may finish."""
        _, listing = self._opened.result()
        watch = asyncio.create_task(self._watch.run(client, listing))
        try:
            while not self._is_to_end.is_set() and (self.is_busy or self._idle_seconds_left > 0):
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(self._idle_seconds_left, 1.0)):
                        await self._is_to_end.wait()
            self.is_open = False
            if self._calls:
                await asyncio.wait(self._calls)
        finally:
            self.is_open = False
            left = [watch, *self._calls]
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_FAREWELL_SECONDS)

    @property
    def _idle_seconds_left(self) -> float:
        return self.used_at_seconds + self._idle_seconds - self._clock()

    def _unavailable(self, error: BaseException) -> AgentOSError:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, AgentOSError):
            return error
        reason, words = f"the connection failed with {type(error).__name__}", ""
        match error:
            case ValidationError():
                place = self.redacted(_place_in(error))[:_PLACE_CHARACTERS]
                reason = f"its answer does not follow the protocol: {place}"
            case MCPError() if failure_of(error) is not None:
                reason = error.message
            case MCPError() if self._end_told is None:
                reason, words = self._refusal, error.message
        return McpUnavailable(
            server=self._server.name, reason=self._end_told or reason, said=self._said(words)
        )

    def _said(self, words: str = "") -> str:
        """The server's own words, as they may be shown."""
        text = clean_text("\n".join(filter(None, (words, self._last_words.text))))
        # Redacted first: half of a secret would not be recognised.
        return shown(self.redacted(text))


def _place_in(error: ValidationError) -> str:
    """Where an answer is wrong, without what it says there but for its keys."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return ascii(f"{error.title} {place} ({first['type']})")[1:-1]
