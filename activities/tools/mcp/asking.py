"""Which call a question of a server belongs to, on a connection that calls share.

The protocol does not say. So a question waits until every call that runs has either ended or asked
one. If several have, all are cancelled, without effect, and each is made again by itself. Calls
that bring replies, which must not go to another, have the connection to themselves from the start.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import mcp_types as types
from mcp.client.session import ClientRequestContext
from pydantic import JsonValue

from activities.tools.mcp.questions import Question, Replies, Reply, fault_of

_CANCEL = Reply("cancel")
_MAX_FORM_DEPTH = 10  # The protocol nests a form in five levels.
_MAX_NUMBER = 10**300

Clean = Callable[[str], str]


class Asker:
    """A call that may ask. ``question`` is the first one to which it brought no reply: it was
    cancelled, and the call is of no use. ``is_unclear``: what it asked was cancelled unheard.
    ``fault`` is why something that it asked is put to nobody."""

    def __init__(self, replies: Replies, clean: Clean, *, is_alone: bool) -> None:
        self._replies = replies
        self._clean = clean
        self.is_alone = is_alone
        self.is_unclear = False
        self.question: Question | None = None
        self.fault: str | None = None

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
    """The calls that run on a connection. ``clean`` makes what a server says fit to be shown."""

    def __init__(self, clean: Clean) -> None:
        self.clean = clean
        self._running: list[Asker] = []
        self._waiting_alone = 0
        self._questions = 0
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

    async def ask(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """The callback of the SDK."""
        self._has_asked = True
        self._questions += 1
        self._tell()
        try:
            await self._until(self._is_clear)
            if len(self._running) == 1 and not self._is_muddled:
                return self._running[0].reply(params)
            for asker in self._running:
                asker.is_unclear = not self._is_muddled
            return types.ElicitResult(action="cancel")
        finally:
            self._questions -= 1
            self._tell()

    def _may_begin(self, asker: Asker) -> bool:
        if any(other.is_alone or other.is_unclear for other in self._running):
            return False
        if asker.is_alone:
            return not self._running
        return not self._waiting_alone and not self._questions

    def _is_clear(self) -> bool:
        """Whether a question can be that of one call only, or each call has one."""
        if self._is_muddled or len(self._running) <= 1:
            return True
        if any(asker.is_unclear for asker in self._running):
            return True
        has_asked = any(asker.question is not None for asker in self._running)
        return not has_asked and self._questions >= len(self._running)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
