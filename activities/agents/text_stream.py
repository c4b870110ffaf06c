"""What a model says while it says it, as events, some times a second."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from activities.attempts.sending import Sender
from workflows.errors import TemporaryFailure
from workflows.events import Event, LlmDelta, LlmRestarted

# The first words are sent almost at once; an answer that takes no longer than this is sent whole.
FIRST_PAUSE_SECONDS = 0.02
PAUSE_SECONDS = 0.05

log = structlog.get_logger(__name__)

Send = Callable[[tuple[Event, ...]], Awaitable[None]]


class Deltas:
    """Gathers the text of turn ``turn``, and sends it in parts."""

    def __init__(self, turn: int, send: Send) -> None:
        self._turn = turn
        self._send = send
        self._waiting: deque[Event] = deque()
        self._text = ""
        self._said = ""
        self._has_sent = False
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self.sender = Sender(self._flush)

    def add(self, text: str) -> None:
        self._text += text
        self._send_soon()

    def restart(self) -> None:
        """Another model starts over: the text so far does not count."""
        self._text = self._said = ""
        if self._has_sent:
            self._forget()

    def tell(self, event: Event) -> None:
        """Send an event among the text, in its place."""
        self._take_text()
        self._waiting.append(event)
        self._send_soon()

    def drain(self) -> tuple[Event, ...]:
        """Take what was not sent yet. Nothing if that is all: the whole message is sent as well."""
        if not self._has_sent and not self._waiting:
            return ()
        return self._take()

    async def _flush(self) -> None:
        self._pause_seconds = PAUSE_SECONDS
        said = self._take()
        if not said:
            return
        # Before they are sent: a restart meanwhile must take them back.
        self._has_sent = True
        try:
            await self._send(said)
        except TemporaryFailure as failure:
            log.warning("events.delayed", reason=str(failure))
            # They may have been written and only the reply lost: everything is sent again.
            self._text = self._said + self._text
            self._said = ""
            self._waiting.clear()
            self._forget()

    def _forget(self) -> None:
        self._waiting.append(LlmRestarted(turn=self._turn))
        self._send_soon()

    def _send_soon(self) -> None:
        self.sender.within(self._pause_seconds)

    def _take_text(self) -> None:
        if self._text:
            self._waiting.append(LlmDelta(turn=self._turn, text=self._text))
            self._said += self._text
            self._text = ""

    def _take(self) -> tuple[Event, ...]:
        self._take_text()
        waiting = tuple(self._waiting)
        self._waiting.clear()
        return waiting


@asynccontextmanager
async def sending_deltas(turn: int, send: Send) -> AsyncIterator[Deltas]:
    """Deltas that are sent while the block runs."""
    deltas = Deltas(turn, send)
    async with deltas.sender.running():
        yield deltas
