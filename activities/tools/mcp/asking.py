"""Which call a question of a server belongs to, on a connection that calls share.

The protocol does not say. So a question waits until one call is left that it can be of: a call that
ends meanwhile has not asked. Where there are as many questions as calls, and none ends for a while,
each call may have asked one: the first question is cancelled, and the call that ends upon that is
taken for the one that asked it. If none does, a call has asked several, and of all that run then
nobody knows whether a question of theirs was cancelled. Those that are marked safe are made again,
each by itself. The others are not: they may have taken effect, and a neighbour's question is no
reason to repeat them.

Calls that bring replies, which must not go to another, have the connection to themselves from the
start.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import mcp_types as types
from mcp.client.session import ClientRequestContext
from pydantic import JsonValue

from activities.tools.mcp.options import Patience
from activities.tools.mcp.questions import Question, Replies, Reply, fault_of

_CANCEL = Reply("cancel")
_MAX_FORM_DEPTH = 10  # The protocol nests a form in five levels.
_MAX_NUMBER = 10**300

Clean = Callable[[str], str]


@dataclass(eq=False, slots=True)
class _Asked:
    """A question that waits for it to be clear whose it is."""

    params: types.ElicitRequestParams
    at_seconds: float = field(default_factory=time.monotonic)


class Asker:
    """A call that may ask. ``question`` is the first one to which it brought no reply: it was
    cancelled, and the call is of no use. ``is_unclear``: something was cancelled that it may have
    asked. ``fault`` is why something that it asked is put to nobody."""

    def __init__(self, replies: Replies, clean: Clean, *, is_alone: bool) -> None:
        self._replies = replies
        self._clean = clean
        self.is_alone = is_alone
        self.may_have_asked = False
        self.question: Question | None = None
        self.fault: str | None = None

    @property
    def is_unclear(self) -> bool:
        return self.may_have_asked and self.question is None and self.fault is None

    def reply(self, asked: types.ElicitRequestParams) -> types.ElicitResult:
        """What a person has replied; a cancellation where nobody was asked yet."""
        reply = self._reply(_question_in(asked, self._clean))
        return types.ElicitResult.model_validate({"action": reply.action, "content": reply.content})

    def _reply(self, question: Question) -> Reply:
        if self.question is not None:
            return _CANCEL
        if (fault := fault_of(question)) is not None:
            self.fault = self.fault or fault
            return _CANCEL
        if (reply := self._replies.get(question.key)) is None:
            self.question = question
            return _CANCEL
        return reply


def _question_in(asked: types.ElicitRequestParams, clean: Clean) -> Question:
    if isinstance(asked, types.ElicitRequestURLParams):
        return Question(clean(asked.message), url=clean(asked.url))
    form = {clean(key): _cleaned(value, clean) for key, value in asked.requested_schema.items()}
    return Question(clean(asked.message), form)


def _cleaned(value: object, clean: Clean, depth: int = 1) -> JsonValue:
    """A part of a form as it can be kept and shown: what is no JSON, or too much of it, is null."""
    match value:
        case str():
            return clean(value)
        case bool():
            return value
        case int() | float() if -_MAX_NUMBER <= value <= _MAX_NUMBER:
            return value
        case list() if depth < _MAX_FORM_DEPTH:
            return [_cleaned(item, clean, depth + 1) for item in value]
        case dict() if depth < _MAX_FORM_DEPTH:
            return {
                clean(str(key)): _cleaned(item, clean, depth + 1) for key, item in value.items()
            }
    return None


class Askers:
    """The calls that run on a connection. ``clean`` makes what a server says fit to be shown.

    ``is_confusing``: calls that may not be made again are to be alone from now on."""

    def __init__(self, clean: Clean, patience: Patience) -> None:
        self.clean = clean
        self.is_confusing = False
        self._patience = patience
        self._running: list[Asker] = []
        self._waiting_alone = 0
        self._open: list[_Asked] = []
        self._cancelled: _Asked | None = None
        self._is_muddled = False
        self._has_asked = False
        self._changed = asyncio.Event()

    @property
    def is_spoilt(self) -> bool:
        """Whether a question could be that of a call which nobody waits for any more."""
        return self._is_muddled and self._has_asked

    @asynccontextmanager
    async def asker(self, replies: Replies, *, is_alone: bool) -> AsyncIterator[Asker]:
        """A call is made in this block; one that ``is_alone``, while no other is."""
        asker = Asker(replies, self.clean, is_alone=is_alone)
        self._waiting_alone += asker.is_alone
        try:
            await self._until(lambda: self._may_begin(asker))
        finally:
            self._waiting_alone -= asker.is_alone
        self._running.append(asker)
        try:
            yield asker
        except (asyncio.CancelledError, TimeoutError):
            # The server may go on with it, and ask what would be taken for another's question.
            self._is_muddled = True
            raise
        finally:
            self._running.remove(asker)
            self._tell()
            if self._cancelled is not None:
                cancelled, self._cancelled = self._cancelled, None
                asker.reply(cancelled.params)

    async def ask(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """The callback of the SDK."""
        self._has_asked = True
        asked = _Asked(params)
        self._open.append(asked)
        self._tell()
        try:
            while not self._is_clear(asked) and (seconds := self._patience_left(asked)) != 0:
                await self._change(seconds)
            if not self._is_clear(asked):
                self._let_go(asked)
            elif self._running and not self._is_muddled:
                return self._running[0].reply(params)
            return types.ElicitResult(action="cancel")
        finally:
            self._open.remove(asked)
            self._tell()

    def _may_begin(self, asker: Asker) -> bool:
        if any(other.is_alone or other.is_unclear for other in self._running):
            return False
        if asker.is_alone:
            return not self._running
        return not (self._waiting_alone or self._open or self._cancelled)

    def _is_clear(self, asked: _Asked) -> bool:
        """Whether the question can be that of one call only, or is nobody's."""
        is_first = self._open[0] is asked  # Those of one call are told in their order.
        return self._is_muddled or (len(self._running) <= 1 and is_first)

    def _patience_left(self, asked: _Asked) -> float | None:
        """The seconds until the question is cancelled; None while that is not its turn."""
        is_next = self._open[0] is asked and self._cancelled is None
        if not is_next or len(self._open) < len(self._running):
            return None
        quiet_seconds = time.monotonic() - self._open[-1].at_seconds
        return max(self._patience.quiet_seconds - quiet_seconds, 0)

    def _let_go(self, asked: _Asked) -> None:
        """Cancel a question, and see which call ends upon that."""
        self._cancelled = asked
        loop = asyncio.get_running_loop()
        loop.call_later(self._patience.ending_seconds, self._give_up, asked)

    def _give_up(self, asked: _Asked) -> None:
        if self._cancelled is not asked:
            return
        self._cancelled = None
        self.is_confusing = True
        for asker in self._running:
            asker.may_have_asked = True
        self._tell()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self._change()

    async def _change(self, seconds: float | None = None) -> None:
        """Wait for something to change, or for so long."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
