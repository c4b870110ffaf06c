"""What was said before an exchange, as the model reads it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from activities.llm.base import ChatMessage
from activities.patience import patiently
from activities.store.database import Database
from activities.store.reading.exchanges import PastExchange, exchanges_before

MAX_REMEMBERED = 200

_INTERRUPTED_CALL = (
    "The call was stopped before it had a result: the turn was interrupted, or failed. It may have "
    "taken effect all the same."
)
_CUT = "[Your answer was cut short here: you were interrupted. What is above is all that was read.]"
_FAILED = "[You could not answer: the turn ended ({status}). What you were told follows again.]"


@dataclass(frozen=True, slots=True)
class Prior:
    """``messages`` are whole turns, numbered from 1, before those of the exchange itself."""

    messages: tuple[ChatMessage, ...]

    def joined_with(self, own: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """Behind the system prompt; the exchange's own turns count on."""
        if not self.messages:
            return own
        turns = self.messages[-1].turn
        systems = [message for message in own if message.role == "system"]
        rest = [
            replace(message, turn=message.turn + turns, is_protected=message.is_protected)
            for message in own
            if message.role != "system"
        ]
        return (*systems, *self.messages, *rest)


class PriorExchanges:
    """Those of the exchanges that this worker has seen last: they do not change any more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: OrderedDict[UUID, Prior] = OrderedDict()

    async def before(self, exchange_id: UUID) -> Prior:
        if (known := self._remembered.get(exchange_id)) is not None:
            self._remembered.move_to_end(exchange_id)
            return known
        past = await patiently(lambda: exchanges_before(self._database, exchange_id))
        prior = Prior(conversation_of(past))
        self._remembered[exchange_id] = prior
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return prior


def conversation_of(past: Sequence[PastExchange]) -> tuple[ChatMessage, ...]:
    """Exchanges one after the other, each request with a result, whatever became of it."""
    said: list[ChatMessage] = []
    for turn, exchange in enumerate(past, start=1):
        said += _exchange(exchange, turn)
    return tuple(said)


def _exchange(exchange: PastExchange, turn: int) -> list[ChatMessage]:
    heard = [message for message in exchange.messages if message.role != "system"]
    if not heard:
        heard = [ChatMessage("user", exchange.prompt)]
    said: list[ChatMessage] = []
    open_requests: list[str] = []
    for message in heard:
        if message.role != "tool":
            said += _unanswered(open_requests, turn)
            open_requests = [request.id for request in message.requests]
        elif message.request_id in open_requests:
            open_requests.remove(message.request_id)
        said.append(replace(message, turn=turn, is_protected=False, opaque=None))
    said += _unanswered(open_requests, turn)
    if exchange.is_interrupted:
        said.append(ChatMessage("user", _CUT, turn=turn))
    elif exchange.failed_as is not None:
        said.append(ChatMessage("user", _FAILED.format(status=exchange.failed_as), turn=turn))
    return said


def _unanswered(request_ids: Sequence[str], turn: int) -> list[ChatMessage]:
    return [
        ChatMessage("tool", _INTERRUPTED_CALL, request_id=request_id, turn=turn)
        for request_id in request_ids
    ]
