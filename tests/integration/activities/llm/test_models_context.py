"""Conversations that are longer than a model can read, over true HTTP."""

from collections.abc import AsyncIterator, Sequence

import pytest

from activities.llm.base import ChatMessage, ModelOptions, ToolRequest, ToolSpec
from activities.llm.models import Models
from activities.tokens import Tokens
from tests.doubles.model_server import Exchange, ModelServer, json_answer, model_server, text
from workflows.errors import ContextTooLong

TOKENS = Tokens()
RESULT = "measured value " * 100


def conversation(turns: int, result: str = RESULT) -> list[ChatMessage]:
    messages = [ChatMessage("system", "Be brief."), ChatMessage("user", "Measure it.")]
    for turn in range(1, turns + 1):
        request = ToolRequest(f"c{turn}", "measure", f'{{"turn": {turn}}}')
        messages.append(ChatMessage("assistant", "", (request,), turn=turn))
        messages.append(ChatMessage("tool", result, request_id=request.id, turn=turn))
    return messages


class SmallModel:
    """Refuses prompts of more than ``limit_bytes``, in the words of vLLM."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.sizes: list[int] = []

    async def __call__(self, exchange: Exchange) -> None:
        size = len(str(exchange.request.body["messages"]))
        self.sizes.append(size)
        if size <= self.limit_bytes:
            await text("ok")(exchange)
            return
        message = (
            "This model's maximum context length is 4096 tokens. However, you requested 9000 "
            "tokens. Please reduce the length of the messages."
        )
        await json_answer({"object": "error", "message": message, "code": 400}, 400)(exchange)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


async def ask(
    server: ModelServer,
    *conversations: Sequence[ChatMessage],
    models: tuple[str, ...] = ("small",),
    context_tokens: int = 128_000,
) -> str:
    options = ModelOptions(models=models, base_url=server.url, context_tokens=context_tokens)
    asked = Models(options, TOKENS)
    tool = ToolSpec("measure", "Measures.", {"type": "object"})
    try:
        for messages in conversations:
            answer = await asked.complete(messages, (tool,), on_text=print)
    finally:
        await asked.close()
    return answer.model


async def test_a_conversation_that_was_too_long_is_shortened_and_sent_again(
    server: ModelServer,
) -> None:
    model = SmallModel(20_000)
    server.answers(*[model] * 10)
    await ask(server, conversation(20))
    assert 2 <= len(model.sizes) <= 4
    assert model.sizes == sorted(model.sizes, reverse=True)
    sent = server.requests[-1].body["messages"]
    assert sent[0]["content"] == "Be brief."
    assert sent[1]["content"] == "Measure it."
    assert sent[-1]["content"] == RESULT
    assert sent[3]["content"].startswith("[shortened: ")
    assert "read it again with the tool" in sent[3]["content"]


async def test_the_context_length_of_a_model_is_learned_from_its_refusals(
    server: ModelServer,
) -> None:
    model = SmallModel(20_000)
    server.answers(*[model] * 10)
    await ask(server, conversation(20), conversation(20))
    assert model.sizes[-1] == model.sizes[-2] <= 20_000


async def test_a_conversation_beyond_the_context_is_shortened_before_it_is_sent(
    server: ModelServer,
) -> None:
    model = SmallModel(20_000)
    server.answers(model)
    await ask(server, conversation(20), context_tokens=3_000)
    assert len(model.sizes) == 1
    assert model.sizes[0] < 20_000


async def test_a_conversation_that_fits_is_sent_as_it_is(server: ModelServer) -> None:
    await ask(server, conversation(20))
    contents = [message["content"] for message in server.requests[0].body["messages"]]
    assert contents.count(RESULT) == 20


async def test_a_conversation_that_cannot_be_shortened_is_an_error(server: ModelServer) -> None:
    model = SmallModel(1_000)
    server.answers(*[model] * 10)
    messages = [ChatMessage("user", "word " * 1_000, is_protected=True)]
    with pytest.raises(ContextTooLong, match="longer context") as raised:
        await ask(server, messages)
    assert not raised.value.retryable
    assert len(model.sizes) == 1


async def test_shortening_ends(server: ModelServer) -> None:
    model = SmallModel(0)
    server.answers(*[model] * 100)
    with pytest.raises(ContextTooLong):
        await ask(server, conversation(100))
    assert len(model.sizes) <= 6


async def test_a_model_that_reads_more_is_asked_next(server: ModelServer) -> None:
    server.answers(SmallModel(0), text("ok"))
    messages = [ChatMessage("user", "word " * 1_000)]
    assert await ask(server, messages, models=("small", "large")) == "large"
