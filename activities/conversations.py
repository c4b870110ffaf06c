"""The conversations that a worker has at hand, so that it reads only what is new of each."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from activities.llm.base import ChatMessage

MAX_CONVERSATIONS = 200
MAX_CHARACTERS = 64 * 1024 * 1024


@dataclass(slots=True)
class _Known:
    """What ``execution`` has written never changes; another one may write something else."""

    execution: str
    seq: int = 0
    messages: list[ChatMessage] = field(default_factory=list)
    characters: int = 0

    def add(self, messages: Sequence[ChatMessage], seq: int) -> None:
        self.messages.extend(messages)
        self.characters += sum(len(message.content) for message in messages)
        self.seq = seq


class Conversations:
    """The latest ones, up to a number and a size. It may forget any at any time."""

    def __init__(
        self, max_conversations: int = MAX_CONVERSATIONS, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._max_conversations = max_conversations
        self._max_characters = max_characters
        self._known: OrderedDict[UUID, _Known] = OrderedDict()

    def known_seq(self, task_id: UUID, execution: str, seq: int) -> int:
        """The number of the last message at hand, which is ``seq`` at most."""
        known = self._known.get(task_id)
        if known is None or known.execution != execution or known.seq > seq:
            self._known.pop(task_id, None)
            return 0
        return known.seq

    def extend(
        self, task_id: UUID, execution: str, messages: Sequence[ChatMessage], seq: int
    ) -> Sequence[ChatMessage]:
        """All messages up to ``seq``, of which ``messages`` were not at hand."""
        known = self._known.pop(task_id, None) or _Known(execution)
        known.add(messages, seq)
        self._known[task_id] = known
        whole = tuple(known.messages)
        self._forget()
        return whole

    def _forget(self) -> None:
        characters = sum(known.characters for known in self._known.values())
        while self._known and (
            len(self._known) > self._max_conversations or characters > self._max_characters
        ):
            _, oldest = self._known.popitem(last=False)
            characters -= oldest.characters
