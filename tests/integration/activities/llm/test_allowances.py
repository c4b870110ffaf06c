"""What a run has left bounds its prompts and answers: a server that answers by script is asked."""

from collections.abc import AsyncIterator

import pytest

from activities.llm.allowance import LEAST_ANSWER_TOKENS, Allowance
from activities.llm.base import Answer, ChatMessage, ModelOptions
from activities.llm.models import Models
from activities.tokens import Tokens
from tests.doubles.model_server import ModelServer, delta, events, model_server, refusal, text
from workflows.errors.agents import TokensUsedUp

TOKENS = Tokens()
LONG = (ChatMessage("user", "word " * 3_000, is_protected=True),)
BOUNDS = ("max_tokens", "max_completion_tokens")
# Of tokens, what a message takes beside its words.
FRAME_TOKENS = 10


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


async def ask(server: ModelServer, *allowances: Allowance) -> Answer:
    asked = Models(ModelOptions(("first",), server.url, context_tokens=32_000), TOKENS)
    try:
        for allowance in allowances:
            answer = await asked.complete(LONG, (), allowance=allowance, on_text=print)
    finally:
        await asked.close()
    return answer


def bounds(server: ModelServer) -> list[dict[str, int]]:
    return [
        {name: request.body[name] for name in BOUNDS if name in request.body}
        for request in server.requests
    ]


async def test_a_prompt_that_leaves_no_room_for_an_answer_is_not_sent(server: ModelServer) -> None:
    with pytest.raises(TokensUsedUp) as raised:
        await ask(server, Allowance(3_000 + LEAST_ANSWER_TOKENS // 2, 10_000))
    assert server.requests == []
    assert "6872 of 10000 are used" in str(raised.value)


async def test_an_answer_may_take_what_the_prompt_leaves(server: ModelServer) -> None:
    await ask(server, Allowance(4_000, 10_000))
    [bound] = bounds(server)
    assert 1_000 - FRAME_TOKENS <= bound["max_tokens"] <= 1_000


async def test_an_answer_is_not_bounded_while_all_of_the_context_is_left(
    server: ModelServer,
) -> None:
    await ask(server, Allowance(32_000, 1_000_000))
    assert bounds(server) == [{}]


async def test_a_server_that_bounds_answers_by_another_name_is_asked_by_it_from_then_on(
    server: ModelServer,
) -> None:
    server.answers(refusal(400, "'max_tokens' is not supported, use 'max_completion_tokens'"))
    await ask(server, Allowance(4_000, 10_000), Allowance(4_000, 10_000))
    assert [list(bound) for bound in bounds(server)] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]


async def test_a_server_that_cannot_bound_answers_is_asked_without(server: ModelServer) -> None:
    server.answers(*(refusal(422, f"Extra inputs are not permitted: {name}") for name in BOUNDS))
    assert (await ask(server, Allowance(4_000, 10_000))).text == "ok"
    assert [list(bound) for bound in bounds(server)] == [["max_tokens"], [BOUNDS[1]], []]


async def test_what_an_answer_took_that_broke_off_is_not_left_for_the_next_model(
    server: ModelServer,
) -> None:
    server.answers(events(delta(content="Let me see"), done=False), text("ok"))
    with pytest.raises(TokensUsedUp):
        await ask_twice(server)
    assert server.asked == ["first"]


async def ask_twice(server: ModelServer) -> None:
    asked = Models(ModelOptions(("first", "second"), server.url, context_tokens=32_000), TOKENS)
    try:
        await asked.complete(
            LONG, (), allowance=Allowance(4_000, 10_000), on_text=print, on_restart=lambda: None
        )
    finally:
        await asked.close()
