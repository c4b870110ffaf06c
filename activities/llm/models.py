"""Asking models: the first that answers, with a conversation that it can read."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, TypeVar

import structlog

from activities.breakers.errors import BreakerOpen
from activities.breakers.holding import held_by
from activities.llm.allowance import Allowance
from activities.llm.base import (
    Answer,
    Charge,
    ChatMessage,
    ModelOptions,
    Price,
    ToolSpec,
    Usage,
)
from activities.llm.conversation import Conversation, Delivery, answer_tokens_of, for_model
from activities.llm.names import Decoder, encode
from activities.llm.offer import Offers
from activities.llm.reading import Reading, Reply
from activities.llm.tool_forms import ToolForms
from activities.llm.unwrapping import unwrapped
from activities.llm.uses import ModelUses
from activities.metrics.definitions import OF_MODELS
from activities.metrics.numbers import Numbers
from activities.tokens import Tokens
from workflows.errors import AgentOSError
from workflows.errors.models import (
    ContextTooLong,
    ModelNotFound,
    ModelOverloaded,
    ModelUnavailable,
    ModelUnsuitable,
)

if TYPE_CHECKING:
    from activities.llm.endpoint import Endpoint

OPENAI_DEFAULT_MODEL = "gpt-5-mini"

# What prompts may take of a model's context; the answer takes the rest.
PROMPT_SHARE = 0.85

# After a refusal as too long, the next prompt has this share of the refused one's tokens.
SHORTENING = 0.7
MAX_SHORTENINGS = 5

# What makes the next model worth asking: it may be less busy, known, or read more.
_PASSED_OVER = (
    ModelOverloaded,
    ModelUnavailable,
    ModelNotFound,
    ModelUnsuitable,
    ContextTooLong,
    BreakerOpen,
)

# What to do about that which takes the most room.
_REMEDIES = {
    "system_prompt": "Shorten the agent's `profile`",
    "skills": "Name fewer `skills` (--skill), or shorter ones",
    "tools": (
        "Name fewer `tools` (--tool), switch some off (agentos tools disable), or make "
        "`output_schema` smaller"
    ),
    "task": "Put what is long in the prompt into files, and give them as inputs (--input)",
    "conversation": "Give it less to read at once",
}

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")

Entry = TypeVar("Entry")

log = structlog.get_logger(__name__)


async def load_client() -> None:
    """Load what talks to servers of models, before an endpoint is opened.

    It takes half a second. Beside the event loop, others go on meanwhile.
    """
    await asyncio.to_thread(import_module, "activities.llm.endpoint")


def open_endpoint(options: ModelOptions) -> "Endpoint":
    """The server of the options. Close it when done."""
    from activities.llm.endpoint import Endpoint

    return Endpoint(options)


class Models:
    """The models of one server. Close it when done.

    What it learns of a model's context is kept, so that one refusal is enough.
    """

    def __init__(
        self, options: ModelOptions, tokens: Tokens, numbers: Numbers | None = None
    ) -> None:
        self._options = options
        self._uses = ModelUses(numbers or Numbers(OF_MODELS))
        self._tokens = tokens
        self._endpoint: Endpoint | None = None
        self._listed: str | None = None
        self._budgets: dict[str, int] = {}
        self._forms = ToolForms(tokens.count)

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        *,
        model: str | None = None,
        found: Sequence[str] = (),
        allowance: Allowance | None = None,
        guard: Callable[[str], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
        on_text: Callable[[str], None],
        on_restart: Callable[[], None] | None = None,
        on_broken: Callable[[Charge], None] = lambda _: None,
        on_passed_over: Callable[[str, AgentOSError], None] = lambda *_: None,
    ) -> Answer:
        """Have the first model that can answer: ``model``, then those of the options in order.

        Each is sent as much as it can read. ``found`` are the names of tools that the model has
        looked for or called, the latest last: they are shown though others give way. ``allowance``
        is what prompts and answers may take together. A model is asked within ``guard``, which may
        raise ``BreakerOpen``: then it is the next one's turn.

        ``on_text`` gets the text as it arrives. When an answer breaks off after some of it, the
        next model is asked only with ``on_restart``, which is called so that the text can be
        forgotten. ``on_broken`` is called with the charge of each answer that broke off, and
        ``on_passed_over`` with each model in whose place the next one is asked, and why.

        Raises:
            ModelOverloaded, ModelUnavailable: no model answers now; see ``retry_after_seconds``.
            Held: those that could answer are not asked for now.
            ModelRefused: no model will answer this.
            ContextTooLong: it cannot be shortened enough.
            AnswerWithheld: a content filter withheld the answer.
            TokensUsedUp: the allowance is too little.
        """
        started_at = time.monotonic()
        delivery = Delivery(on_text, on_broken, allowance)
        errors: list[AgentOSError] = []
        candidates = await self._candidates(model)
        for candidate in candidates:
            if delivery.has_begun:
                if on_restart is None:
                    break
                on_restart()
                delivery.has_begun = False
            # Beside the event loop: servers may have megabytes of tools to be counted.
            conversation = await asyncio.to_thread(
                self.conversation, candidate, for_model(messages, candidate), tools, found
            )
            try:
                async with guard(candidate):
                    reply = await self._ask(candidate, conversation, delivery)
            except _PASSED_OVER as error:
                log.warning("model.passed_over", model=candidate, error=error.code)
                errors.append(error)
                if candidate != candidates[-1]:
                    on_passed_over(candidate, error)
                continue
            return self._answer(candidate, conversation, reply, started_at)
        self._listed = None  # Perhaps the server has another one by now.
        raise _most_hopeful(errors)

    async def default_model(self) -> str:
        """The model that is asked when none is named.

        Raises:
            ModelOverloaded, ModelUnavailable, ModelRefused: the server does not tell of one.
        """
        if self._options.models:
            return self._options.models[0]
        endpoint = await self._opened()
        if endpoint.is_openai:
            return OPENAI_DEFAULT_MODEL
        if self._listed is None:
            names = await endpoint.models()
            if not names:
                raise ModelUnsuitable(model="The server", reason="it lists no model")
            # LM Studio always lists one that can do nothing but embed.
            self._listed = next((name for name in names if "embed" not in name), names[0])
        return self._listed

    @property
    def known_default(self) -> str:
        """The model that is asked when none is named, as far as is known without asking."""
        return next(iter(self._options.models), self._listed or "")

    def price_of(self, model: str) -> Price | None:
        """The price of a model, or of the one that it is a dated version of."""
        return _entry_of(model, self._options.prices)

    def context_tokens_of(self, model: str) -> int:
        """How much a model, or the one that it is a dated version of, reads and writes at once."""
        known = _entry_of(model, self._options.model_context_tokens)
        return known or self._options.context_tokens

    async def _candidates(self, model: str | None) -> Sequence[str]:
        first = model or await self.default_model()
        return tuple(dict.fromkeys((first, *self._options.models)))

    def conversation(
        self,
        model: str,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        found: Sequence[str] = (),
    ) -> Conversation:
        """What ``model`` is sent of these, as far as is known of its context."""
        count = partial(self._tokens.count, model=model)
        window = round(self.context_tokens_of(model) * PROMPT_SHARE)
        budget = self._budgets.get(model, window)
        offers = Offers(count, self._forms)
        return Conversation(messages, tools, count, offers, budget, found=found)

    async def _ask(self, model: str, conversation: Conversation, delivery: Delivery) -> Reply:
        context_tokens = self.context_tokens_of(model)
        if not conversation.is_within(context_tokens):
            raise _too_long(model, conversation, f"its context is {context_tokens} tokens")
        for _ in range(MAX_SHORTENINGS):
            try:
                return await self._ask_once(model, conversation, delivery)
            except ContextTooLong as error:
                refused = conversation.size_tokens()
                self._budgets[model] = round(refused * SHORTENING)
                conversation.shorten(self._budgets[model])
                shortened = conversation.size_tokens()
                log.info("model.shortened", model=model, refused=refused, tokens=shortened)
                if delivery.has_begun or shortened >= refused:
                    raise _too_long(model, conversation, error.fields["reason"]) from error
        try:
            return await self._ask_once(model, conversation, delivery)
        except ContextTooLong as error:
            raise _too_long(model, conversation, error.fields["reason"]) from error

    async def _ask_once(self, model: str, conversation: Conversation, delivery: Delivery) -> Reply:
        context_tokens = self.context_tokens_of(model)
        answer_tokens = await answer_tokens_of(conversation, delivery.allowance, context_tokens)
        endpoint = await self._opened()
        reading = Reading(model, delivery, [encode(tool.name) for tool in conversation.tools])
        reply: Reply | None = None
        try:
            with self._uses.request(model):
                reply = await endpoint.ask(
                    reading, conversation.messages, conversation.shown, answer_tokens
                )
        finally:
            # Also when it is cancelled: the model has read the prompt and written this by then.
            if reply is None and reading.has_cost:
                usage = conversation.usage_of(reading.so_far())
                delivery.broke_off(charge := self._charge(model, usage))
                self._uses.used(model, usage, charge.cost_usd)
        return reply

    async def _opened(self) -> "Endpoint":
        if self._endpoint is None:
            await load_client()
        if self._endpoint is None:
            self._endpoint = open_endpoint(self._options)
        return self._endpoint

    def _charge(self, model: str, usage: Usage) -> Charge:
        price = self.price_of(model)
        cost_usd = price.cost_usd(usage) if price else 0.0
        return Charge(usage.prompt_tokens, usage.completion_tokens, cost_usd)

    def _answer(
        self, model: str, conversation: Conversation, reply: Reply, started_at: float
    ) -> Answer:
        usage = conversation.usage_of(reply)
        cost_usd = self._charge(model, usage).cost_usd
        self._uses.used(model, usage, cost_usd)
        decode = Decoder(tool.name for tool in conversation.tools)
        ended_at = time.monotonic()
        return Answer(
            model=model,
            text=reply.text,
            requests=tuple(
                replace(request, name=decode(request.name), arguments=unwrapped(request.arguments))
                for request in reply.requests
            ),
            usage=usage,
            cost_usd=cost_usd,
            first_token_ms=_milliseconds(started_at, reply.first_token_at or ended_at),
            duration_ms=_milliseconds(started_at, ended_at),
            finish=reply.finish,
            opaque=reply.opaque,
        )


def _entry_of(model: str, entries: Mapping[str, Entry]) -> Entry | None:
    found = entries.get(model)
    return entries.get(_DATE.sub("", model)) if found is None else found


def _too_long(model: str, conversation: Conversation, reason: object) -> ContextTooLong:
    """The error that says what took the room, and what to do about it."""
    shares = conversation.shares()
    return ContextTooLong(
        model=model, reason=f"{reason}; sent were, in tokens: {shares}. {_REMEDIES[shares.largest]}"
    )


def _most_hopeful(errors: Sequence[AgentOSError]) -> AgentOSError:
    """The error to report: the overload that ends first, else one that a retry may fix, else that
    of the breaker which is tried first, else the last one."""
    overloads = [error for error in errors if isinstance(error, ModelOverloaded)]
    if overloads:
        return min(overloads, key=lambda error: error.retry_after_seconds or 0.0)
    if retryable := [error for error in errors if error.retryable]:
        return retryable[0]
    if refused := [error for error in errors if isinstance(error, BreakerOpen)]:
        return held_by(min(refused, key=lambda error: error.retry_after_seconds or inf))
    return errors[-1]


def _milliseconds(started_at: float, ended_at: float) -> int:
    return round((ended_at - started_at) * 1_000)
