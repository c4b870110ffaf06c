"""What an attempt tells while it runs: its phase and output, as events, a few times a second."""

import codecs
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from activities.attempts.sending import Sender
from activities.sandbox.base import Stream
from activities.store import attempts
from activities.store.attempts import Attempt, SkillUse
from activities.store.database import Database
from workflows.errors import TemporaryFailure
from workflows.events import Event, StepOutput, StepOutputCut, StepPhase
from workflows.states import Phase

FLUSH_SECONDS = 0.1
# A phase is told of when it has lasted so long, if nothing else is to be told: on a busy worker, a
# short step would else cost the database half as much again.
PHASE_SECONDS = 0.5
# An event's text, and the whole that an attempt may send as events. The log keeps everything.
CHUNK_CHARACTERS = 16 * 1024
LIVE_CHARACTERS = 1024 * 1024
_DETAIL_CHARACTERS = 200

log = structlog.get_logger(__name__)


class Reporter:
    """Collects what the step named ``step`` prints, and tells of it."""

    def __init__(self, database: Database, attempt: Attempt, step: str) -> None:
        self.step = step
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.skill: SkillUse | None = None
        """What it runs, once that is known."""
        self._database = database
        self._attempt = attempt
        self._decoders = {
            stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in Stream
        }
        self._phase: Phase | None = None
        self._waiting: deque[Event] = deque()
        self._live_characters = 0
        self.sender = Sender(self._send)

    def enter(self, phase: Phase) -> None:
        self._phase = phase
        self._waiting.append(StepPhase(step=self.step, phase=phase))
        self.sender.within(PHASE_SECONDS)

    def say(self, what: str) -> None:
        """What takes long within the phase, as in ``installing pandas``."""
        phase = self._phase or Phase.PREPARE_ENV
        self._add(StepPhase(step=self.step, phase=phase, detail=what[:_DETAIL_CHARACTERS]))

    def output(self, stream: Stream, data: bytes) -> None:
        (self.stdout if stream is Stream.STDOUT else self.stderr).extend(data)
        if self._live_characters < LIVE_CHARACTERS:
            self._tell(stream, self._decoders[stream].decode(data))

    @property
    def stdout_text(self) -> str:
        return _text(self.stdout)

    @property
    def stderr_text(self) -> str:
        return _text(self.stderr)

    def drain(self) -> tuple[Event, ...]:
        """Take the events that were not sent yet, to be written with the attempt's end."""
        waiting = tuple(self._waiting)
        self._waiting.clear()
        return waiting

    def _tell(self, stream: Stream, text: str) -> None:
        for start in range(0, len(text), CHUNK_CHARACTERS):
            chunk = text[start : start + CHUNK_CHARACTERS]
            self._live_characters += len(chunk)
            joined = self._joined(stream, chunk)
            self._add(StepOutput(step=self.step, stream=stream.value, text=joined))
            if self._live_characters >= LIVE_CHARACTERS:
                self._add(StepOutputCut(step=self.step, limit=LIVE_CHARACTERS))
                return

    def _joined(self, stream: Stream, chunk: str) -> str:
        """The chunk with the waiting one before it, if both fit into one event.

        A line and its end often come one after the other.
        """
        last = self._waiting[-1] if self._waiting else None
        if not isinstance(last, StepOutput) or last.stream != stream.value:
            return chunk
        text = f"{last.text}{chunk}"
        if len(text) > CHUNK_CHARACTERS:
            return chunk
        self._waiting.pop()
        return text

    def _add(self, event: Event) -> None:
        self._waiting.append(event)
        # Lets a short step end first: its events are then written with its end, at no cost.
        self.sender.within(FLUSH_SECONDS)

    async def _send(self) -> None:
        taken = self.drain()
        if not taken:
            return
        try:
            await attempts.set_phase(self._database, self._attempt, self._phase, taken)
        except TemporaryFailure as failure:
            log.warning("events.delayed", reason=str(failure))
            self._waiting.extendleft(reversed(taken))
            self.sender.within(PHASE_SECONDS)


def _text(printed: bytearray) -> str:
    """PostgreSQL keeps no NUL in text."""
    return printed.decode("utf-8", "replace").replace("\0", "�")


@asynccontextmanager
async def reporting(database: Database, attempt: Attempt, step: str) -> AsyncIterator[Reporter]:
    """A reporter that sends its events while the block runs."""
    reporter = Reporter(database, attempt, step)
    async with reporter.sender.running():
        yield reporter
