"""A conversation on its way to one model: its size, and how it becomes smaller."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from activities.llm.base import Charge, ChatMessage, ToolSpec, Usage
from activities.llm.compaction import Count, compact, size_tokens
from activities.llm.reading import Reply


class Conversation:
    """``messages`` is what is to be sent."""

    def __init__(
        self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], count: Count
    ) -> None:
        self.messages = messages
        self.tools = tools
        self._count = count

    def size_tokens(self) -> int:
        """An estimate, of messages and tools."""
        return size_tokens(self.messages, self._count) + self._tools_tokens

    def shorten(self, budget_tokens: int) -> None:
        """Shorten it to ``budget_tokens``, tools included, or as far as it goes."""
        characters = sum(message.characters for message in self.messages)
        # A token is a character at least, nearly always; this spares most conversations the
        # counting. Half of the budget is left for the tools.
        if characters <= budget_tokens // 2 or self.size_tokens() <= budget_tokens:
            return
        self.messages = compact(self.messages, budget_tokens - self._tools_tokens, self._count)

    def usage_of(self, reply: Reply) -> Usage:
        """What the answer took, as the server says; else it is counted here."""
        if reply.usage is not None:
            return reply.usage
        written = self._count(reply.text) + sum(
            self._count(request.name) + self._count(request.arguments) for request in reply.requests
        )
        if reply.opaque is not None:
            written += self._count(reply.opaque.text)
        return Usage(self.size_tokens(), written, is_estimate=True)

    @cached_property
    def _tools_tokens(self) -> int:
        return sum(
            self._count(tool.name)
            + self._count(tool.description)
            + self._count(json.dumps(tool.parameters))
            for tool in self.tools
        )


def for_model(messages: Sequence[ChatMessage], model: str) -> Sequence[ChatMessage]:
    """Without the state of other models."""
    return [
        message
        if message.opaque is None or message.opaque.model == model
        else replace(message, opaque=None)
        for message in messages
    ]


class Delivery:
    """Passes text on, and knows whether there was any since the last restart.

    ``broke_off`` is called with the charge of an answer that was not completed.
    """

    def __init__(self, on_text: Callable[[str], None], broke_off: Callable[[Charge], None]) -> None:
        self.has_begun = False
        self.broke_off = broke_off
        self._on_text = on_text

    def __call__(self, text: str) -> None:
        self.has_begun = True
        self._on_text(text)
