"""What an attempt tells while it runs: its phase and output, as events, a few times a second."""

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from activities.sandbox.base import Stream
from activities.store import attempts
from activities.store.attempts import Attempt
from activities.store.database import Database
from activities.store.events import EventDraft
from workflows.errors import TemporaryFailure
from workflows.states import Phase

FLUSH_SECONDS = 0.1
# An event's text, and the whole that an attempt may send as events. The log keeps everything.
CHUNK_CHARACTERS = 16 * 1024
LIVE_CHARACTERS = 1024 * 1024

log = structlog.get_logger(__name__)


class Reporter:
    """Collects what the step named ``step`` prints, and tells of it."""

    def __init__(self, database: Database, attempt: Attempt, step: str) -> None:
        self.step = step
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._database = database
        self._attempt = attempt
        self._decoders = {
            stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in Stream
        }
        self._phase: Phase | None = None
        self._drafts: deque[EventDraft] = deque()
        self._live_characters = 0
        self._changed = asyncio.Event()
        self.flushing = asyncio.Lock()

    def enter(self, phase: Phase) -> None:
        self._phase = phase
        self._draft("step.phase", phase=phase.value)

    def output(self, stream: Stream, data: bytes) -> None:
        (self.stdout if stream is Stream.STDOUT else self.stderr).extend(data)
        if self._live_characters < LIVE_CHARACTERS:
            self._tell(stream, self._decoders[stream].decode(data))

    def drain(self) -> tuple[EventDraft, ...]:
        """Take the events that were not sent yet, to be written with the attempt's end."""
        drafts = tuple(self._drafts)
        self._drafts.clear()
        return drafts

    def _tell(self, stream: Stream, text: str) -> None:
        for start in range(0, len(text), CHUNK_CHARACTERS):
            chunk = text[start : start + CHUNK_CHARACTERS]
            self._live_characters += len(chunk)
            self._draft("step.output", stream=stream.value, text=self._joined(stream, chunk))
            if self._live_characters >= LIVE_CHARACTERS:
                self._draft("step.output_cut", limit=LIVE_CHARACTERS)
                return

    def _joined(self, stream: Stream, chunk: str) -> str:
        """The chunk with the waiting one before it, if both fit into one event.

        A line and its end often come one after the other.
        """
        last = self._drafts[-1] if self._drafts else None
        if last is None or last.type != "step.output" or last.data["stream"] != stream.value:
            return chunk
        text = f"{last.data['text']}{chunk}"
        if len(text) > CHUNK_CHARACTERS:
            return chunk
        self._drafts.pop()
        return text

    def _draft(self, kind: str, **data: str | int) -> None:
        self._drafts.append(EventDraft(type=kind, data={"step": self.step, **data}))
        self._changed.set()

    async def send(self) -> None:
        """Send events as they come, until cancelled."""
        while True:
            await self._changed.wait()
            # Lets a short step end first: its events are then written with its end, at no cost.
            await asyncio.sleep(FLUSH_SECONDS)
            self._changed.clear()
            try:
                await self._flush()
            except TemporaryFailure as failure:
                log.warning("events.delayed", reason=str(failure))
                self._changed.set()

    async def _flush(self) -> None:
        async with self.flushing:
            sending = list(self._drafts)
            self._drafts.clear()
            try:
                await attempts.set_phase(self._database, self._attempt, self._phase, sending)
            except TemporaryFailure:
                self._drafts.extendleft(reversed(sending))
                raise


@asynccontextmanager
async def reporting(database: Database, attempt: Attempt, step: str) -> AsyncIterator[Reporter]:
    """A reporter that sends its events while the block runs."""
    reporter = Reporter(database, attempt, step)
    sending = asyncio.create_task(reporter.send())
    try:
        yield reporter
    finally:
        # A flush that is under way is let through: cut in two, its events might be sent twice.
        async with reporter.flushing:
            sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
