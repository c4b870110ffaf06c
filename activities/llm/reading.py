"""An answer while it is read: from the data of events to a whole reply, or to an error."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from activities.llm.assembly import Assembly
from activities.llm.base import Finish, ToolRequest, Usage
from activities.llm.refusals import read_error_event
from workflows.errors import AnswerWithheld, ModelUnavailable

DONE = b"[DONE]"

_CUT = frozenset({"length", "max_tokens"})


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


class Reading:
    """Takes what a model sends. ``on_text`` is called with each piece of text."""

    def __init__(self, model: str, on_text: Callable[[str], None]) -> None:
        self.model = model
        self._on_text = on_text
        self._assembly = Assembly()
        self._first_token_at: float | None = None

    @property
    def has_cost(self) -> bool:
        """Whether anything has come that shows that the model was at work."""
        return self._assembly.has_begun or self._assembly.usage is not None

    @property
    def is_finished(self) -> bool:
        """Whether the model has said why its answer ended, so that nothing of it is missing."""
        return self._assembly.finish is not None

    @property
    def is_too_long(self) -> bool:
        return self._assembly.is_too_long

    def take(self, data: bytes) -> None:
        """Take the data of one event.

        Raises:
            ModelUnavailable: it is not JSON.
            AgentOSError: it tells of an error; see ``Refusal.error``.
        """
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            reason = "it sent an event that is not JSON"
            raise ModelUnavailable(model=self.model, reason=reason) from None
        refusal = read_error_event(chunk) if isinstance(chunk, dict) else None
        if refusal is not None:
            raise refusal.error(self.model)
        text = self._assembly.add(chunk)
        if self._first_token_at is None and self._assembly.has_begun:
            self._first_token_at = time.monotonic()
        if text:
            self._on_text(text)

    def end(self) -> None:
        """The server says that this was all; some never say why."""
        self._assembly.finish = self._assembly.finish or "stop"

    def reply(self) -> Reply:
        """The whole answer, which may be empty.

        Raises:
            ModelUnavailable: the stream ended before the answer did.
            AnswerWithheld: the answer was withheld by a content filter.
        """
        assembly = self._assembly
        if assembly.finish is None and not assembly.is_too_long:
            reason = "its stream ended in the middle of the answer"
            raise ModelUnavailable(model=self.model, reason=reason)
        if assembly.finish == "content_filter":
            raise AnswerWithheld(model=self.model)
        return self.so_far()

    def so_far(self) -> Reply:
        """What has come of the answer."""
        assembly = self._assembly
        requests = assembly.requests()
        finish: Finish = "tool_calls" if requests else "stop"
        if assembly.finish in _CUT or assembly.is_too_long:
            finish = "length"
        return Reply(assembly.text, requests, finish, assembly.usage, self._first_token_at)
