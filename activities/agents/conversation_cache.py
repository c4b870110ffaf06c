"""The conversations that a worker has at hand, so that it reads only what is new of each."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from activities.llm.base import ChatMessage

MAX_CONVERSATIONS = 200
MAX_CHARACTERS = 64 * 1024 * 1024

Messages = tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What ``execution`` has written never changes; another one may write something else."""

    execution: str
    messages: Messages
    characters: int


class Conversations:
    """The latest ones, up to a number and a size. It may forget any at any time.

    A message's place is its number: they count from 1 without gaps.
    """

    def __init__(
        self, max_conversations: int = MAX_CONVERSATIONS, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._max_conversations = max_conversations
        self._max_characters = max_characters
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()

    def known(self, task_id: UUID, execution: str, seq: int) -> Messages:
        """The first messages of a conversation, or none: ``seq`` at most."""
        kept = self._kept.get(task_id)
        if kept is None or kept.execution != execution or len(kept.messages) > seq:
            return ()
        return kept.messages

    def keep(self, task_id: UUID, execution: str, messages: Messages) -> None:
        """Remember all of a conversation, as far as ``execution`` has come with it."""
        characters = sum(message.characters for message in messages)
        self._kept.pop(task_id, None)
        self._kept[task_id] = _Kept(execution, messages, characters)
        self._forget()

    def _forget(self) -> None:
        characters = sum(kept.characters for kept in self._kept.values())
        while self._kept and (
            len(self._kept) > self._max_conversations or characters > self._max_characters
        ):
            _, oldest = self._kept.popitem(last=False)
            characters -= oldest.characters
