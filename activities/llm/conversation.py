"""A conversation on its way to one model: its size, and how it becomes smaller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from activities.llm.allowance import Allowance
from activities.llm.base import Charge, ChatMessage, ToolSpec, Usage
from activities.llm.compaction import MESSAGE_TOKENS, Count, compact, shorten_skills, size_tokens
from activities.llm.offer import MAX_OFFER_TOKENS, OFFER_SHARE, Offer, Offers
from activities.llm.reading import Reply


@dataclass(frozen=True, slots=True)
class Shares:
    """What takes the room of a prompt, in tokens. ``skills`` are those that are listed and those
    that were loaded, ``task`` is what the person asked for."""

    system_prompt: int
    skills: int
    tools: int
    task: int
    conversation: int

    @property
    def largest(self) -> str:
        return max((item.name for item in fields(self)), key=lambda name: getattr(self, name))

    def __str__(self) -> str:
        names = (item.name for item in fields(self))
        return ", ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in names)


class Conversation:
    """``messages`` and ``shown`` are what is to be sent; ``tools`` are all that may be called.
    ``offer`` says what of skills and tools is sent, and how much is left to a search."""

    def __init__(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        count: Count,
        offers: Offers,
        budget_tokens: int,
        *,
        found: Sequence[str] = (),
    ) -> None:
        """It is shortened to ``budget_tokens``. ``found`` are the names of tools that the model has
        looked for, the latest last."""
        self.messages = self._whole = messages
        self.tools = tools
        self._found = found
        self._count = count
        self._offers = offers
        self.shorten(budget_tokens)

    def size_tokens(self) -> int:
        """An estimate, of messages and tools."""
        return size_tokens(self.messages, self._count) + self.offer.tools_tokens

    def shorten(self, budget_tokens: int) -> None:
        """Shorten it to ``budget_tokens``, tools included, or as far as it goes."""
        self.offer = offer = self._make_offer(budget_tokens)
        self.shown = offer.tools
        messages = self._with_prompt(offer.prompt)
        characters = sum(message.characters for message in messages)
        # A token is a character at least, nearly always; this spares most conversations the
        # counting. Half of the budget is left for the tools.
        left = budget_tokens - offer.tools_tokens
        if characters > budget_tokens // 2 and size_tokens(messages, self._count) > left:
            messages = compact(messages, left, self._count)
            messages = shorten_skills(messages, left, self._count)
        self.messages = messages

    def is_within(self, tokens: int) -> bool:
        """Whether what is to be sent has at most so many."""
        characters = sum(message.characters for message in self.messages)
        framed = MESSAGE_TOKENS * len(self.messages) + self.offer.tools_tokens
        return 2 * characters + framed <= tokens or self.size_tokens() <= tokens

    def shares(self) -> "Shares":
        """What takes the room."""
        offer = self.offer
        system = [message for message in self.messages if message.role == "system"]
        loaded = [message for message in self.messages if _is_loaded(message)]
        task = [message for message in self.messages if message.role == "user"][:1]
        known = size_tokens([*system, *loaded, *task], self._count)
        return Shares(
            system_prompt=size_tokens(system, self._count) - offer.skills_tokens,
            skills=offer.skills_tokens + size_tokens(loaded, self._count),
            tools=offer.tools_tokens,
            task=size_tokens(task, self._count),
            conversation=size_tokens(self.messages, self._count) - known,
        )

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

    def _make_offer(self, budget_tokens: int) -> Offer:
        budget = min(round(budget_tokens * OFFER_SHARE), MAX_OFFER_TOKENS)
        first = self._whole[0] if self._whole else None
        prompt = first.content if first is not None and first.role == "system" else ""
        return self._offers.make(prompt, self.tools, self._found, budget)

    def _with_prompt(self, prompt: str) -> Sequence[ChatMessage]:
        if not prompt or prompt == self._whole[0].content:
            return self._whole
        return (replace(self._whole[0], content=prompt), *self._whole[1:])


def _is_loaded(message: ChatMessage) -> bool:
    """Whether it is the text of a skill: nothing else is kept as it is of what tools say."""
    return message.role == "tool" and message.is_protected


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

    ``on_broken`` is called with the charge of an answer that was not completed, and ``allowance``
    is what there is for the next.
    """

    def __init__(
        self,
        on_text: Callable[[str], None],
        on_broken: Callable[[Charge], None],
        allowance: Allowance | None = None,
    ) -> None:
        self.has_begun = False
        self.allowance = allowance
        self._on_text = on_text
        self._on_broken = on_broken

    def broke_off(self, charge: Charge) -> None:
        if self.allowance is not None:
            self.allowance = self.allowance.less(charge.tokens)
        self._on_broken(charge)

    def __call__(self, text: str) -> None:
        self.has_begun = True
        self._on_text(text)
