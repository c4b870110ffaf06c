"""Conversations that are longer than a model can read, over true HTTP."""

import json
import re
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from activities.llm.base import ChatMessage, ModelOptions, ToolRequest, ToolSpec
from activities.llm.models import Models
from activities.skills.metadata import Skill
from activities.skills.section import SkillSection
from activities.tokens import Tokens
from tests.doubles.model_server import (
    Exchange,
    ModelServer,
    call,
    calls,
    json_answer,
    model_server,
    text,
)
from workflows.errors.models import ContextTooLong

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
    more: Sequence[ToolSpec] = (),
    **options: Any,
) -> str:
    asked = Models(
        ModelOptions(models=models, base_url=server.url, context_tokens=context_tokens, **options),
        TOKENS,
    )
    tool = ToolSpec("measure", "Measures.", {"type": "object"})
    try:
        for messages in conversations:
            answer = await asked.complete(messages, (tool, *more), on_text=print)
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


def crowd(tools: int = 140) -> list[ToolSpec]:
    """Tools of a server, and one that finds them."""
    words = "Lists the records of a repository, sorted and filtered by their state. " * 4
    text = {"type": "string", "description": words}
    parameters = {"type": "object", "properties": dict.fromkeys(("a", "b", "c"), text)}
    named = (f"mcp.hub.tool_{number:03}" for number in range(tools))
    return [
        ToolSpec("find_tools", "Finds more.", {"type": "object"}, finds_others=True),
        ToolSpec("list_skills", "Finds skills.", {"type": "object"}, finds_skills=True),
        *(ToolSpec(name, words, parameters, source="hub") for name in named),
    ]


def skilled(skills: int = 100) -> list[ChatMessage]:
    made = {
        f"skill-{number}": Skill(
            name=f"skill-{number}",
            description="Cleans, profiles and joins tables of measurements from the field. " * 6,
            folder=Path("/nowhere"),
            digest="",
            scripts=(),
            files=("SKILL.md",),
            warnings=(),
            license=None,
            compatibility=None,
            metadata={},
            allowed_tools=(),
        )
        for number in range(skills)
    }
    prompt = f"You are an agent.\n\n{SkillSection.of(made)}\n\nEnd well."
    return [
        ChatMessage("system", prompt, is_protected=True),
        ChatMessage("user", "Say hello.", is_protected=True),
    ]


def sent_tokens(server: ModelServer, number: int = -1) -> int:
    """Of a whole request, with all that is JSON in it."""
    return TOKENS.count(json.dumps(server.requests[number].body))


@pytest.mark.parametrize("context_tokens", [2_000, 4_096, 8_192, 32_768, 128_000])
async def test_100_skills_and_140_tools_never_take_more_than_their_share_of_a_context(
    server: ModelServer, context_tokens: int
) -> None:
    server.answers(text("Hello."))
    await ask(server, skilled(), context_tokens=context_tokens, more=crowd())
    assert sent_tokens(server) <= min(0.4 * context_tokens, 13_500)
    body = server.requests[0].body
    assert len(body["tools"]) <= 128
    prompt = body["messages"][0]["content"]
    assert (" more: list_skills finds them." in prompt) == (context_tokens < 10_000)
    [search] = (tool for tool in body["tools"] if tool["function"]["name"] == "find_tools")
    assert "tools are not listed here, of: hub" in search["function"]["description"]


async def test_a_tool_that_is_not_shown_can_be_called_all_the_same(server: ModelServer) -> None:
    server.answers(calls(call(0, id="c1", name="mcp__hub__tool_139", arguments="{}")))
    models = Models(ModelOptions(("small",), server.url, context_tokens=4_096), TOKENS)
    answer = await models.complete(skilled(), crowd(), on_text=print)
    await models.close()
    assert "mcp__hub__tool_139" not in str(server.requests[0].body["tools"])
    assert [request.name for request in answer.requests] == ["mcp.hub.tool_139"]


async def test_each_model_is_sent_what_its_own_context_holds(server: ModelServer) -> None:
    small = SmallModel(0)
    server.answers(small, small, text("Hello."))
    contexts = {"small": 4_096}
    await ask(
        server,
        skilled(),
        models=("small-2025-08-07", "large"),
        more=crowd(),
        model_context_tokens=contexts,
    )
    assert sent_tokens(server, 0) < 2_000
    assert sent_tokens(server) > 6_000


async def test_what_exceeds_the_context_is_not_sent_and_the_error_says_what_takes_the_room(
    server: ModelServer,
) -> None:
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "word " * 9_000, is_protected=True),
    ]
    with pytest.raises(ContextTooLong) as raised:
        await ask(server, messages, context_tokens=8_000)
    said = str(raised.value)
    assert "small" in said
    assert "its context is 8000 tokens" in said
    assert "system prompt 7, skills 0, tools 2" in said
    assert re.search(r"task 900\d, conversation 0\.", said)
    assert "give them as inputs (--input)" in said
    assert "AGENTOS_CONTEXT_TOKENS" in said
    assert server.requests == []


def loaded(turn: int, content: str) -> list[ChatMessage]:
    """A skill that a model has loaded."""
    request = ToolRequest(f"c{turn}", "load_skill", "{}")
    return [
        ChatMessage("assistant", "", (request,), turn=turn),
        ChatMessage("tool", content, (), request.id, turn, is_protected=True),
    ]


async def test_a_skill_that_is_longer_than_the_context_is_sent_as_far_as_there_is_room(
    server: ModelServer,
) -> None:
    server.answers(text("Hello."))
    messages = [ChatMessage("user", "Do it."), *loaded(1, "first words " + "word " * 20_000)]
    await ask(server, messages, context_tokens=4_096)
    sent = server.requests[0].body["messages"][-1]["content"]
    assert sent.startswith("first words word word")
    assert sent.endswith("read_skill_file gives the rest of SKILL.md]")
    assert 2_500 < sent_tokens(server) < 4_096


@pytest.mark.parametrize(
    ("said", "messages", "tool"),
    [
        ("Shorten the agent's `profile`", [ChatMessage("system", "word " * 3_000)], None),
        (
            "Name fewer `skills` (--skill)",
            [
                ChatMessage("user", "Do it."),
                *(message for n in range(30) for message in loaded(n, "word " * 300)),
            ],
            None,
        ),
        (
            "agentos tools disable",
            [ChatMessage("user", "Do it.")],
            ToolSpec("finish", "word " * 3_000, {"type": "object"}),
        ),
        (
            "Give it less to read",
            [
                ChatMessage("user", "Do it."),
                ChatMessage("assistant", "word " * 3_000, turn=1),
            ],
            None,
        ),
    ],
)
async def test_the_error_names_what_mends_that_which_takes_the_most_room(
    server: ModelServer, said: str, messages: list[ChatMessage], tool: ToolSpec | None
) -> None:
    with pytest.raises(ContextTooLong) as raised:
        await ask(server, messages, context_tokens=2_000, more=[tool] if tool else [])
    assert said in str(raised.value)
    assert server.requests == []


async def test_a_refusal_of_the_server_says_what_takes_the_room_too(server: ModelServer) -> None:
    server.answers(*[SmallModel(0)] * 10)
    with pytest.raises(ContextTooLong) as raised:
        await ask(server, skilled(), more=crowd())
    assert "HTTP 400: This model's maximum context length is 4096 tokens" in str(raised.value)
    assert "sent were, in tokens: system prompt" in str(raised.value)


class WatchedTokens(Tokens):
    """Remembers in which threads long texts were counted."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def count(self, text: str, model: str | None = None) -> int:
        if len(text) > 10_000:
            self.threads.add(threading.get_ident())
        return super().count(text, model)


async def test_large_tools_are_counted_beside_the_event_loop(server: ModelServer) -> None:
    """A server may have megabytes of them, which takes seconds the first time."""
    huge = {"type": "object", "properties": {"a": {"enum": ["value " * 5_000]}}}
    tokens = WatchedTokens()
    models = Models(ModelOptions(("small",), server.url), tokens)
    server.answers(text("Hello."))
    tools = [ToolSpec("mcp.big.t", "", huge, source="big")]
    await models.complete([ChatMessage("user", "Say hello.")], tools, on_text=print)
    await models.close()
    assert tokens.threads
    assert threading.get_ident() not in tokens.threads
