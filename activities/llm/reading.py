"""An answer while it is read: from the data of events to a whole reply, or to an error."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from activities.llm.assembly import Assembly
from activities.llm.base import Finish, ToolRequest, Usage
from activities.llm.error_events import read_error_event
from activities.llm.finishes import Ending, ending_of
from activities.llm.frames import Frame
from activities.llm.opaque import Opaque
from activities.llm.refusals import Refused, shown
from activities.llm.wrappings import chunks_in, parsed
from workflows.errors.models import AnswerWithheld, ModelUnavailable

DONE = b"[DONE]"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer as it came: the names of tools are those of the wire.

    ``first_token_at`` is a time of ``time.monotonic``; None when the answer is empty.
    """

    text: str
    requests: tuple[ToolRequest, ...]
    finish: Finish
    usage: Usage | None
    first_token_at: float | None
    opaque: Opaque | None = None


class Reading:
    """Takes what a model sends. ``on_text`` is called with each piece of text; ``offered`` are the
    names of tools on the wire."""

    def __init__(
        self, model: str, on_text: Callable[[str], None], offered: Collection[str] = ()
    ) -> None:
        self.model = model
        self._on_text = on_text
        self._assembly = Assembly(offered)
        self._first_token_at: float | None = None
        self._has_end = False

    @property
    def has_cost(self) -> bool:
        """Whether anything has come that shows that the model was at work."""
        return self._assembly.has_cost

    @property
    def is_finished(self) -> bool:
        """Whether the model has said why its answer ended, so that nothing of it is missing."""
        return self._has_end or bool(self._assembly.reasons)

    @property
    def is_too_long(self) -> bool:
        return self._assembly.is_too_long

    def take(self, frame: Frame) -> None:
        """Take a frame.

        Raises:
            ModelUnavailable: it is not JSON.
            Refused: it tells of an error.
        """
        try:
            chunks = list(chunks_in(parsed(frame.data)))
        except (ValueError, RecursionError):
            if self.is_finished:  # What comes after the end does no harm.
                return
            if not frame.is_error:
                reason = "it sent an event that is not JSON"
                raise ModelUnavailable(model=self.model, reason=reason) from None
            chunks = [frame.data.decode("utf-8", "replace")]
        for chunk in chunks:
            self._take_chunk(chunk, is_marked=frame.is_error)

    def _take_chunk(self, chunk: object, *, is_marked: bool) -> None:
        refusal = read_error_event(chunk, is_marked=is_marked)
        if refusal is not None:
            raise Refused(refusal)
        text = self._assembly.add(chunk)
        if self._first_token_at is None and self._assembly.has_begun:
            self._first_token_at = time.monotonic()
        if text:
            self._on_text(text)

    def end(self) -> None:
        """The server says that this was all; some never say why."""
        self._has_end = True

    def reply(self) -> Reply:
        """The whole answer, which may be empty.

        Raises:
            ModelUnavailable: the stream ended before the answer did, or the answer failed.
            AnswerWithheld: the answer was withheld by a content filter.
        """
        assembly = self._assembly
        reason = assembly.bad_reason
        ending = ending_of(reason) if reason is not None else Ending.WHOLE
        if ending is Ending.WITHHELD:
            raise AnswerWithheld(model=self.model)
        if reason is not None and ending is Ending.FAILED:
            told = f'it ended its answer with "{shown(reason)}"'
            raise ModelUnavailable(model=self.model, reason=told)
        if not assembly.is_too_long and not self._is_all_there():
            told = "its stream ended in the middle of the answer"
            raise ModelUnavailable(model=self.model, reason=told)
        return self.so_far()

    def _is_all_there(self) -> bool:
        """Where a server does not say why the answer ended, a last call that has no arguments may
        have been cut off before them: it is not made."""
        if self._assembly.reasons:
            return True
        requests = self._assembly.requests()
        return self._has_end and not (requests and not requests[-1].arguments.strip())

    def so_far(self) -> Reply:
        """What has come of the answer."""
        assembly = self._assembly
        requests = assembly.requests()
        reason = assembly.bad_reason
        finish: Finish = "tool_calls" if requests else "stop"
        if assembly.is_too_long or (reason is not None and ending_of(reason) is Ending.CUT):
            finish = "length"
        opaque = assembly.opaque(self.model)
        return Reply(assembly.text, requests, finish, assembly.usage, self._first_token_at, opaque)
