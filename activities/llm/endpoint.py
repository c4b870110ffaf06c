"""One request to one model, over the ``openai`` client: streamed, bounded in time and size."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import openai
import structlog
from openai import AsyncOpenAI

from activities.early_end import closing
from activities.llm.base import ChatMessage, ModelOptions, ToolSpec
from activities.llm.connections import BROKEN, http_client, refusal_of, translated
from activities.llm.frames import Frame, frames, whole
from activities.llm.reading import DONE, Reading, Reply
from activities.llm.refusals import Refused
from activities.llm.wire import Body, opaque_names, request_body

OPENAI_URL = "https://api.openai.com/v1"

# How long a server may send after it has said why its answer ended, with its count of tokens ...
_EPILOGUE_SECONDS = 5.0
# ... and after [DONE]. A connection can be used again only when it was read to the end.
_DRAIN_SECONDS = 0.1

# How servers call the bound on an answer. Each knows one at least; OpenAI's is the first, and its
# models that reason refuse the other.
_BOUNDS = ("max_completion_tokens", "max_tokens")

log = structlog.get_logger(__name__)


class Endpoint:
    """A server of models. Its connections are kept open and shared."""

    def __init__(self, options: ModelOptions) -> None:
        base_url = options.base_url or OPENAI_URL
        key = options.api_key.get_secret_value() if options.api_key else ""
        self.is_openai = urlsplit(base_url).hostname == urlsplit(OPENAI_URL).hostname
        self._base_url = base_url
        self._timeouts = options.timeouts
        self._counts_usage = True
        self._bounds = list(_BOUNDS if self.is_openai else reversed(_BOUNDS))
        self._takes_no_state: set[str] = set()
        self._client = AsyncOpenAI(
            base_url=base_url,
            # The client takes none for a mistake, but a server on one's own machine needs none.
            api_key=key or "none",
            max_retries=0,
            http_client=http_client(base_url, options.timeouts),
        )

    async def close(self) -> None:
        await self._client.close()

    async def models(self) -> list[str]:
        """The names of the models that the server lists.

        Raises:
            ModelOverloaded, ModelUnavailable, ModelRefused: it does not tell.
        """
        with translated(self._base_url, self._timeouts):
            async with (
                asyncio.timeout(self._timeouts.total_seconds),
                self._client.models.with_streaming_response.list() as response,
                closing(response.http_response.aiter_bytes()) as pieces,
            ):
                body = await whole(pieces)
        return _names(body)

    async def ask(
        self,
        reading: Reading,
        messages: Sequence[ChatMessage],
        tools: Sequence[ToolSpec],
        answer_tokens: int | None = None,
    ) -> Reply:
        """Have the model of ``reading`` answer; it takes the answer piece by piece. It may be no
        longer than ``answer_tokens``, on servers that know of such a bound.

        Cancelling it closes the connection at once.

        Raises:
            ModelOverloaded, ModelUnavailable: another attempt, or another model, may do better.
            ContextTooLong: the conversation must become shorter.
            ModelRefused: this model will not answer this.
            AnswerWithheld: its content filter did.
        """
        sent = _without_state(messages) if reading.model in self._takes_no_state else messages
        # Of this request: others that are under way may learn meanwhile that the server cannot.
        with_usage = self._counts_usage
        bounds = [] if answer_tokens is None else list(self._bounds)
        with translated(reading.model, self._timeouts):
            while True:
                body = request_body(sent, tools)
                if bounds:
                    body[bounds[0]] = answer_tokens
                try:
                    reply = await self._stream(body, reading, with_usage=with_usage)
                except (openai.APIStatusError, Refused) as error:
                    refusal = error.refusal if isinstance(error, Refused) else refusal_of(error)
                    if reading.has_cost:
                        raise
                    if with_usage and refusal.is_about_usage:
                        log.info("model.counts_no_usage", model=reading.model)
                        self._counts_usage = with_usage = False
                    elif bounds and refusal.is_about(bounds[:1]):
                        del bounds[0]
                    elif refusal.is_about(opaque_names(sent)):
                        sent = _without_state(messages)
                    else:
                        raise
                else:
                    if bounds:  # The next time, what this server knows is tried first.
                        self._bounds.sort(key=lambda name: name != bounds[0])
                    if sent is not messages:  # Only now is it known that this was the fault.
                        self._takes_no_state.add(reading.model)
                    return reply

    async def _stream(self, body: Body, reading: Reading, *, with_usage: bool) -> Reply:
        options = {"stream_options": {"include_usage": True}} if with_usage else {}
        try:
            async with (
                asyncio.timeout(self._timeouts.total_seconds) as deadline,
                self._client.chat.completions.with_streaming_response.create(
                    model=reading.model,
                    # As an argument of its own, the client would walk it to transform it by its
                    # types: 0.4 ms a turn, where reading the answer takes 1 ms in all.
                    messages=[],
                    extra_body={**body, **options, "stream": True},
                ) as response,
                closing(response.http_response.aiter_bytes()) as pieces,
                closing(frames(pieces)) as came,
            ):
                await _read(came, reading, deadline)
        except (*BROKEN, TimeoutError):
            if not reading.is_finished:
                raise
        return reading.reply()


def _without_state(messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
    return [replace(message, opaque=None) for message in messages]


def _names(listed: bytes) -> list[str]:
    try:
        document = json.loads(listed)
    except (ValueError, RecursionError):
        return []
    models = document.get("data") if isinstance(document, dict) else None
    names = (model.get("id") for model in models or () if isinstance(model, dict))
    return [name for name in names if isinstance(name, str) and name]


async def _read(came: AsyncIterator[Frame], reading: Reading, deadline: asyncio.Timeout) -> None:
    now = asyncio.get_running_loop().time
    async for frame in came:
        if frame.data == DONE:
            reading.end()
            deadline.reschedule(now() + _DRAIN_SECONDS)
            continue
        was_finished = reading.is_finished
        reading.take(frame)
        if reading.is_too_long:
            return
        if reading.is_finished and not was_finished:
            deadline.reschedule(now() + _EPILOGUE_SECONDS)
