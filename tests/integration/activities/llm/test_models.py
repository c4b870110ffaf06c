"""Models over true HTTP, against a server that answers by script."""

import asyncio
import gc
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import AsyncGeneratorType
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from activities.llm.assembly import ANSWER_CHARACTERS
from activities.llm.base import (
    Answer,
    Charge,
    ChatMessage,
    ModelOptions,
    Price,
    Timeouts,
    ToolRequest,
    ToolSpec,
    Usage,
)
from activities.llm.compaction import MESSAGE_TOKENS
from activities.llm.models import Models
from activities.llm.opaque import Opaque
from activities.llm.sse import MAX_EVENT_BYTES
from activities.tokens import Tokens
from deploy.local.tcp_ports import choose_ports
from tests.doubles.model_server import (
    Act,
    Exchange,
    ModelServer,
    call,
    calls,
    delta,
    events,
    json_answer,
    model_server,
    refusal,
    text,
    usage,
)
from tests.pressure import allowed
from workflows.errors import AgentOSError
from workflows.errors.models import (
    AnswerWithheld,
    ModelNotFound,
    ModelOverloaded,
    ModelRefused,
    ModelUnavailable,
    ModelUnsuitable,
)

TOKENS = Tokens()
HELLO = (ChatMessage("user", "Hello"),)
CLOCK = ToolSpec("mcp.time.now", "Tells the time.", {"type": "object", "properties": {}})
QUICK = Timeouts(connect_seconds=1, idle_seconds=0.3, total_seconds=5)

Make = Callable[..., AbstractAsyncContextManager[Models]]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@asynccontextmanager
async def models_at(url: str, *names: str, **options: Any) -> AsyncIterator[Models]:
    models = Models(ModelOptions(models=names, base_url=url, **options), TOKENS)
    try:
        yield models
    finally:
        await models.close()


async def ask(
    server: ModelServer, *names: str, model: str | None = None, **options: Any
) -> tuple[Answer, list[str]]:
    pieces: list[str] = []
    async with models_at(server.url, *(names or ("first",)), **options) as models:
        answer = await models.complete(HELLO, (CLOCK,), model=model, on_text=pieces.append)
    return answer, pieces


async def refused(server: ModelServer, *names: str, **options: Any) -> AgentOSError:
    with pytest.raises(AgentOSError) as raised:
        await ask(server, *names, **options)
    return raised.value


# Answers


async def test_text_arrives_in_pieces_and_as_a_whole(server: ModelServer) -> None:
    server.answers(text("Good ", "day", tokens=(12, 3)))
    answer, pieces = await ask(server)
    assert pieces == ["Good ", "day"]
    assert (answer.text, answer.model, answer.finish) == ("Good day", "first", "stop")
    assert answer.usage == Usage(12, 3, is_estimate=False)
    assert 0 <= answer.first_token_ms <= answer.duration_ms


async def test_text_is_passed_on_while_the_model_still_writes(server: ModelServer) -> None:
    heard = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content="first"))
        await heard.wait()
        await exchange.event(delta("stop"))
        await exchange.event("[DONE]")
        await exchange.end()

    server.answers(act)
    async with models_at(server.url, "first") as models:
        answer = await models.complete(HELLO, (), on_text=lambda _: heard.set())
    assert answer.text == "first"


async def test_a_request_carries_conversation_tools_and_key(server: ModelServer) -> None:
    conversation = (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "What time is it?"),
        ChatMessage("assistant", "", (ToolRequest("c1", "mcp.time.now", "{}"),), turn=1),
        ChatMessage("tool", "noon", request_id="c1", turn=1),
        ChatMessage("assistant", "Noon.", turn=2),
    )
    async with models_at(server.url, "first", api_key=SecretStr("sk-secret")) as models:
        await models.complete(conversation, (CLOCK,), on_text=print)
    (request,) = server.requests
    function = {"name": "mcp__time__now", "arguments": "{}"}
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert request.body == {
        "model": "first",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What time is it?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "content": "noon", "tool_call_id": "c1"},
            {"role": "assistant", "content": "Noon."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "mcp__time__now",
                    "description": "Tells the time.",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ],
    }


async def test_a_model_request_without_tools_mentions_none(server: ModelServer) -> None:
    async with models_at(server.url, "first") as models:
        await models.complete(HELLO, (), on_text=print)
    assert "tools" not in server.requests[0].body


async def test_earlier_arguments_that_are_no_json_are_sent_as_json(server: ModelServer) -> None:
    broken = ChatMessage("assistant", "", (ToolRequest("c1", "now", '{"a": '),), turn=1)
    result = ChatMessage("tool", "not JSON", request_id="c1", turn=1)
    async with models_at(server.url, "first") as models:
        await models.complete((*HELLO, broken, result), (), on_text=print)
    sent = server.requests[0].body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"malformed": '{"a": '}


async def test_calls_are_put_together_and_their_names_decoded(server: ModelServer) -> None:
    server.answers(
        calls(
            call(0, id="c1", name="mcp__time__now", arguments=""),
            call(0, arguments='{"zone":'),
            call(0, arguments='"UTC"}'),
            call(1, id="c2", name="made_up", arguments="{}"),
        )
    )
    answer, pieces = await ask(server)
    assert answer.requests == (
        ToolRequest("c1", "mcp.time.now", '{"zone":"UTC"}'),
        ToolRequest("c2", "made_up", "{}"),
    )
    assert (answer.finish, pieces) == ("tool_calls", [])


async def test_one_connection_serves_many_turns(server: ModelServer) -> None:
    async with models_at(server.url, "first") as models:
        for _ in range(3):
            await models.complete(HELLO, (), on_text=print)
    assert [request.connection for request in server.requests] == [0, 0, 0]


async def test_a_server_that_does_not_stream_is_understood(server: ModelServer) -> None:
    message = {"role": "assistant", "content": "All at once"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    counted = {"prompt_tokens": 7, "completion_tokens": 3}
    server.answers(json_answer({"choices": choices, "usage": counted}))
    answer, pieces = await ask(server)
    assert (answer.text, pieces) == ("All at once", ["All at once"])
    assert answer.usage == Usage(7, 3, is_estimate=False)


# State of models

STATE = Opaque("first", {"reasoning_content": "Hm."}, ({"extra_content": {"a": 1}},))
LOOKED = (
    ChatMessage("assistant", "", (ToolRequest("c1", "now", "{}"),), turn=1, opaque=STATE),
    ChatMessage("tool", "noon", request_id="c1", turn=1),
)


def state_in(server: ModelServer) -> list[tuple[bool, bool]]:
    """Of each request, whether it has that of the message and that of the call."""
    said = [request.body["messages"][1] for request in server.requests]
    return [
        ("reasoning_content" in message, "extra_content" in message["tool_calls"][0])
        for message in said
    ]


async def test_the_state_of_a_model_goes_to_no_other(server: ModelServer) -> None:
    server.answers(refusal(503), text("ok"))
    async with models_at(server.url, "first", "second") as models:
        await models.complete((*HELLO, *LOOKED), (), on_text=print)
    assert state_in(server) == [(True, True), (False, False)]


async def test_a_server_that_refuses_the_state_of_its_model_is_not_sent_it_again(
    server: ModelServer,
) -> None:
    server.answers(refusal(400, "messages.1: property 'reasoning_content' is unsupported"))
    async with models_at(server.url, "first") as models:
        for _ in range(2):
            await models.complete((*HELLO, *LOOKED), (), on_text=print)
    assert state_in(server) == [(True, True), (False, False), (False, False)]


async def test_a_refusal_that_is_the_same_without_state_does_not_count_against_it(
    server: ModelServer,
) -> None:
    server.answers(*[refusal(400, "reasoning_content is missing in messages.7")] * 2)
    async with models_at(server.url, "first") as models:
        with pytest.raises(ModelRefused, match="missing in messages"):
            await models.complete((*HELLO, *LOOKED), (), on_text=print)
        await models.complete((*HELLO, *LOOKED), (), on_text=print)
    assert state_in(server) == [(True, True), (False, False), (True, True)]


async def test_thoughts_are_paid_for_when_the_answer_breaks_off_after_them(
    server: ModelServer,
) -> None:
    server.answers(events(delta(reasoning="one two three"), done=False))
    lost: list[Charge] = []
    async with models_at(server.url, "a") as models:
        with pytest.raises(ModelUnavailable):
            await models.complete(HELLO, (), on_text=print, on_broken=lost.append)
    assert lost[0].completion_tokens >= 3


async def test_thoughts_without_end_are_cut(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.event(delta(reasoning="x" * (ANSWER_CHARACTERS // 4)))

    server.answers(act)
    answer, _ = await ask(server)
    assert (answer.finish, answer.text, answer.opaque) == ("length", "", None)


# Usage and cost


async def test_tokens_are_counted_here_when_the_server_does_not(server: ModelServer) -> None:
    server.answers(text("one two three", tokens=None))
    answer, _ = await ask(server)
    assert answer.usage.is_estimate
    assert answer.usage.completion_tokens == 3
    assert 10 < answer.usage.prompt_tokens < 40


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_without_usage_in_streams_is_asked_for_it_once(
    server: ModelServer, status: int
) -> None:
    server.answers(refusal(status, "Unknown field: stream_options"))
    async with models_at(server.url, "first") as models:
        for _ in range(2):
            assert (await models.complete(HELLO, (), on_text=print)).text == "ok"
    asked = ["stream_options" in request.body for request in server.requests]
    assert asked == [True, False, False]


async def test_requests_that_a_server_without_usage_gets_side_by_side_are_all_repeated(
    server: ModelServer,
) -> None:
    are_all_there = asyncio.Barrier(3)

    async def refuse(exchange: Exchange) -> None:
        await are_all_there.wait()
        await refusal(400, "Unknown field: stream_options")(exchange)

    server.answers(refuse, refuse, refuse)
    async with models_at(server.url, "first") as models:
        answers = await asyncio.gather(
            *(models.complete(HELLO, (), on_text=print) for _ in range(3))
        )
    assert [answer.text for answer in answers] == ["ok"] * 3


async def test_a_bad_request_about_something_else_is_not_taken_for_missing_usage(
    server: ModelServer,
) -> None:
    server.answers(refusal(400, "temperature is out of range"))
    assert type(await refused(server)) is ModelRefused
    assert len(server.requests) == 1


async def test_cost_is_tokens_by_price(server: ModelServer) -> None:
    server.answers(text("ok", tokens=(1_000_000, 500_000)))
    answer, _ = await ask(server, prices={"first": Price(2.0, 10.0)})
    assert answer.cost_usd == pytest.approx(7.0)


async def test_a_dated_version_has_the_price_of_its_model(server: ModelServer) -> None:
    prices = {"gpt-5": Price(1.0, 2.0)}
    async with models_at(server.url, "first", prices=prices) as models:
        assert models.price_of("gpt-5-2026-08-07") == Price(1.0, 2.0)
        assert models.price_of("gpt-5-mini") is None


# Which model


async def test_the_model_that_was_asked_for_comes_first_and_then_the_others(
    server: ModelServer,
) -> None:
    server.answers(refusal(503), refusal(503))
    answer, _ = await ask(server, "one", "two", "three", model="two")
    assert server.asked == ["two", "one", "three"]
    assert answer.model == "three"


async def test_without_configured_models_the_server_is_asked_for_one_and_once(
    server: ModelServer,
) -> None:
    listed = {"data": [{"id": "text-embedding-small"}, {"id": "chatty"}, {"id": "other"}]}
    server.answers(json_answer(listed))
    async with models_at(server.url) as models:
        for _ in range(2):
            assert (await models.complete(HELLO, (), on_text=print)).model == "chatty"
        assert await models.default_model() == "chatty"
    assert [request.path for request in server.requests] == [
        "/v1/models",
        "/v1/chat/completions",
        "/v1/chat/completions",
    ]


async def test_a_listed_model_that_is_gone_is_looked_up_again(server: ModelServer) -> None:
    server.answers(
        json_answer({"data": [{"id": "old"}]}),
        refusal(404),
        json_answer({"data": [{"id": "new"}]}),
    )
    async with models_at(server.url) as models:
        with pytest.raises(ModelNotFound):
            await models.complete(HELLO, (), on_text=print)
        assert (await models.complete(HELLO, (), on_text=print)).model == "new"


@pytest.mark.parametrize("listed", [{"data": []}, {"data": None}, {}, [], {"data": ["x"]}])
async def test_a_server_that_lists_no_model_is_a_clear_error(
    server: ModelServer, listed: object
) -> None:
    server.answers(json_answer(listed))
    async with models_at(server.url) as models:
        with pytest.raises(ModelUnsuitable, match="AGENTOS_MODELS"):
            await models.default_model()


async def test_a_server_that_cannot_list_says_why(server: ModelServer) -> None:
    server.answers(refusal(503, "starting up", retry_after="4"))
    async with models_at(server.url) as models:
        with pytest.raises(ModelUnavailable, match="starting up") as raised:
            await models.default_model()
    assert raised.value.retry_after_seconds == 4.0


async def test_openai_itself_has_a_default_model() -> None:
    models = Models(ModelOptions(api_key=SecretStr("sk-none")), TOKENS)
    assert await models.default_model() == "gpt-5-mini"
    await models.close()


# Refusals


@pytest.mark.parametrize("status", [429, 529, 500, 502, 503, 504, 408])
async def test_a_busy_or_broken_model_gives_way_to_the_next_at_once(
    server: ModelServer, status: int
) -> None:
    server.answers(refusal(status, retry_after="100"))
    started = time.monotonic()
    answer, _ = await ask(server, "first", "second")
    assert answer.model == "second"
    assert time.monotonic() - started < allowed(5)


async def test_a_model_that_is_not_there_gives_way_to_the_next(server: ModelServer) -> None:
    server.answers(refusal(404), refusal(400, "The model `b` does not exist"))
    answer, _ = await ask(server, "a", "b", "c")
    assert answer.model == "c"


async def test_a_model_that_cannot_call_tools_gives_way_to_the_next(server: ModelServer) -> None:
    server.answers(refusal(400, "registry.ollama.ai/library/a does not support tools"))
    answer, _ = await ask(server, "a", "b")
    assert answer.model == "b"


async def test_when_all_models_are_busy_the_first_to_be_free_decides_the_wait(
    server: ModelServer,
) -> None:
    server.answers(
        refusal(429, retry_after="30"), refusal(429, retry_after="5"), refusal(503, "down")
    )
    error = await refused(server, "a", "b", "c")
    assert isinstance(error, ModelOverloaded)
    assert error.retryable
    assert error.retry_after_seconds == 5.0


async def test_an_error_is_retryable_while_some_models_may_come_back(server: ModelServer) -> None:
    server.answers(refusal(503, retry_after_ms="1500"), refusal(404))
    error = await refused(server, "a", "b")
    assert isinstance(error, ModelUnavailable)
    assert error.retryable
    assert error.retry_after_seconds == 1.5


@pytest.mark.parametrize(
    ("status", "kind", "help_"),
    [
        (400, ModelRefused, "OPENAI_BASE_URL"),
        (401, ModelRefused, "OPENAI_API_KEY"),
        (403, ModelRefused, "OPENAI_API_KEY"),
        (404, ModelNotFound, "AGENTOS_MODELS"),
        (422, ModelRefused, "OPENAI_BASE_URL"),
    ],
)
async def test_model_errors_that_waiting_cannot_fix_are_not_retried(
    server: ModelServer, status: int, kind: type[AgentOSError], help_: str
) -> None:
    server.answers(refusal(status, "no"))
    error = await refused(server)
    assert type(error) is kind
    assert not error.retryable
    assert help_ in str(error)


async def test_a_bad_key_is_not_tried_on_other_models(server: ModelServer) -> None:
    server.answers(refusal(401))
    await refused(server, "a", "b")
    assert server.asked == ["a"]


async def test_the_words_about_a_bad_key_are_not_shown(server: ModelServer) -> None:
    server.answers(refusal(401, "The key that ends in 5678 is wrong"))
    assert "5678" not in str(await refused(server))


async def test_an_empty_account_is_not_retried(server: ModelServer) -> None:
    server.answers(refusal(429, "You exceeded your current quota", "insufficient_quota"))
    error = await refused(server)
    assert type(error) is ModelRefused
    assert "billing" in str(error)


async def test_neither_key_nor_prompt_gets_into_errors_and_logs(server: ModelServer) -> None:
    prompt, key = "The patient is called Rumpelstilzchen. ", "sk-abcdefgh12345678"
    server.answers(
        refusal(500, f"Bad {key} in " + "x" * 200 + prompt), refusal(401, f"Incorrect key {key}")
    )
    with capture_logs() as logs:
        async with models_at(server.url, "a", "b", api_key=SecretStr(key)) as models:
            with pytest.raises(ModelRefused) as raised:
                await models.complete((ChatMessage("user", prompt),), (), on_text=print)
    assert [entry["event"] for entry in logs] == ["model.passed_over"]
    told = f"{raised.value} {raised.value.fields} {logs} {raised.value.__cause__}"
    assert "Rumpelstilzchen" not in told
    assert "abcdefgh" not in told
    assert raised.value.__suppress_context__


async def test_a_page_in_place_of_an_error_is_understood(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head(502, content_type="text/html")
        await exchange.send(b"<html><h1>Bad Gateway</h1></html>")
        await exchange.end()

    server.answers(act)
    assert isinstance(await refused(server), ModelUnavailable)


async def test_an_error_without_an_end_is_read_up_to_a_bound(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head(500, content_type="text/plain", retry_after="7")
        with suppress(ConnectionError):
            while True:
                await exchange.send(b"out of order " * 1_000)
        server.disconnected.set()

    server.answers(act)
    error = await refused(server)
    assert isinstance(error, ModelUnavailable)
    assert "HTTP 500: out of order" in str(error)
    assert error.retry_after_seconds == 7
    await asyncio.wait_for(server.disconnected.wait(), 5)


async def test_a_compressed_error_is_understood(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head(404, content_type="application/json", content_encoding="gzip")
        await exchange.send(gzip.compress(b'{"error": {"message": "no such model"}}'))
        await exchange.end()

    server.answers(act)
    assert "no such model" in str(await refused(server))


# Connections


async def test_a_connection_that_was_closed_meanwhile_is_no_failure(server: ModelServer) -> None:
    async def hang_up(exchange: Exchange) -> None:
        exchange.drop()

    server.answers(text("one"), hang_up, text("two"))
    async with models_at(server.url, "first") as models:
        for expected in ("one", "two"):
            assert (await models.complete(HELLO, (), on_text=print)).text == expected
    assert [request.connection for request in server.requests] == [0, 0, 1]


async def test_a_server_that_hangs_up_on_a_new_connection_is_not_asked_again_at_once(
    server: ModelServer,
) -> None:
    async def hang_up(exchange: Exchange) -> None:
        exchange.drop()

    server.answers(hang_up)
    assert isinstance(await refused(server), ModelUnavailable)
    assert len(server.requests) == 1


async def test_a_server_that_is_not_there_may_come_back() -> None:
    [nobody] = choose_ports([None])
    async with models_at(f"http://127.0.0.1:{nobody}/v1", "a", "b") as models:
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            await models.complete(HELLO, (), on_text=print)


@pytest.mark.parametrize("address", ["127.0.0.1:1/v1", "ftp://127.0.0.1/v1"])
async def test_an_address_that_is_none_is_not_retried(address: str) -> None:
    async with models_at(address, "a") as models:
        with pytest.raises(ModelRefused, match="OPENAI_BASE_URL"):
            await models.complete(HELLO, (), on_text=print)


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [nobody] = choose_ports([None])
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{nobody}")
    answer, _ = await ask(server)
    assert answer.text == "ok"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_server_is_refused(server: ModelServer, status: int) -> None:
    """It would be sent the conversation, and what it answers would be taken for the model's."""
    async with model_server() as other:
        other.answers(text("I am somebody else."))
        location = f"{other.url}/chat/completions"
        server.answers(refusal(status, location=location))
        error = await refused(server, "a")
        assert isinstance(error, ModelRefused)
        assert location.partition("/v1")[0] in str(error)
        assert "OPENAI_BASE_URL" in str(error)
        assert other.requests == []


async def test_a_redirect_within_a_server_is_followed(server: ModelServer) -> None:
    server.answers(refusal(307, location="/v1/elsewhere"), text("Here."))
    answer, _ = await ask(server)
    assert answer.text == "Here."


async def test_cancelling_closes_the_connection_at_once(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta(content="Once upon a time"))
        await exchange.until_disconnect()
        server.disconnected.set()

    server.answers(act)
    writing = asyncio.Event()
    async with models_at(server.url, "first", "second") as models:
        asking = asyncio.create_task(
            models.complete(HELLO, (), on_text=lambda _: writing.set(), on_restart=print)
        )
        await writing.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(allowed(1)):
            await server.disconnected.wait()
    assert server.asked == ["first"]


async def test_cancelling_before_the_first_word_closes_the_connection_too(
    server: ModelServer,
) -> None:
    asked = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        asked.set()
        await exchange.until_disconnect()
        server.disconnected.set()

    server.answers(act)
    async with models_at(server.url, "first") as models:
        asking = asyncio.create_task(models.complete(HELLO, (), on_text=print))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(allowed(1)):
            await server.disconnected.wait()


# Streams that go wrong


def broken(*data: dict[str, Any] | str, end: Callable[[Exchange], Any]) -> Act:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        for item in data:
            await exchange.event(item)
        outcome = end(exchange)
        if outcome is not None:
            await outcome

    return act


def hang(exchange: Exchange) -> Any:
    return exchange.until_disconnect()


HALF = delta(content="Half of")
BREAKS = {
    "ended": events(HALF, done=False),
    "ended_empty": events(done=False),
    "dropped": broken(HALF, end=Exchange.drop),
    "silent": broken(HALF, end=hang),
    "no_json": events(HALF, "{oops"),
    "no_json_bytes": broken(HALF, end=lambda exchange: exchange.send(b"data: \xff\xfe\n\n")),
    "deep_json": events(HALF, "[" * 100_000),
    "bad_chunk": broken(HALF, end=lambda exchange: exchange.raw(b"zz\r\n")),
    "error_event": events(HALF, {"error": {"message": "gone", "code": 502}}),
    "endless_event": broken(
        HALF, end=lambda exchange: exchange.send(b"data: " + b"x" * (MAX_EVENT_BYTES + 1))
    ),
    "half_a_call": events(
        delta(tool_calls=[call(0, id="c", name="now", arguments='{"a')]), done=False
    ),
}


@pytest.mark.parametrize("kind", BREAKS)
async def test_an_answer_that_breaks_off_can_be_retried(server: ModelServer, kind: str) -> None:
    server.answers(BREAKS[kind])
    error = await refused(server, timeouts=QUICK)
    assert isinstance(error, ModelUnavailable)
    assert error.retryable


async def test_the_next_model_begins_anew_when_the_text_can_be_forgotten(
    server: ModelServer,
) -> None:
    server.answers(BREAKS["dropped"], text("Whole"))
    heard: list[str] = []
    async with models_at(server.url, "first", "second") as models:
        answer = await models.complete(
            HELLO, (), on_text=heard.append, on_restart=lambda: heard.append("<restart>")
        )
    assert heard == ["Half of", "<restart>", "Whole"]
    assert (answer.text, answer.model) == ("Whole", "second")


async def test_the_usage_of_broken_answers_is_reported_with_its_price(server: ModelServer) -> None:
    server.answers(BREAKS["half_a_call"], refusal(503), BREAKS["ended"], text("Whole"))
    lost: list[Charge] = []
    prices = {name: Price(1_000_000, 2_000_000) for name in ("a", "b", "c")}
    async with models_at(server.url, "a", "b", "c", "d", prices=prices) as models:
        answer = await models.complete(
            HELLO, (), on_text=print, on_restart=lambda: None, on_broken=lost.append
        )
    assert answer.text == "Whole"
    prompt = TOKENS.count("Hello") + MESSAGE_TOKENS
    assert [charge.prompt_tokens for charge in lost] == [prompt, prompt]
    assert lost[1] == Charge(prompt, 2, prompt + 4.0)  # "Half of"


async def test_the_usage_of_a_withheld_answer_is_reported(server: ModelServer) -> None:
    server.answers(text(finish="content_filter", tokens=(10, 0)))
    lost: list[Charge] = []
    async with models_at(server.url, "a") as models:
        with pytest.raises(AnswerWithheld):
            await models.complete(HELLO, (), on_text=print, on_broken=lost.append)
    assert lost == [Charge(10, 0, 0.0)]


async def test_the_usage_of_a_cancelled_answer_is_reported(server: ModelServer) -> None:
    server.answers(BREAKS["silent"])
    lost: list[Charge] = []
    writing = asyncio.Event()
    async with models_at(server.url, "a") as models:
        asking = asyncio.create_task(
            models.complete(HELLO, (), on_text=lambda _: writing.set(), on_broken=lost.append)
        )
        await writing.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert [charge.completion_tokens for charge in lost] == [2]


async def test_text_that_was_passed_on_is_not_followed_by_another_models(
    server: ModelServer,
) -> None:
    server.answers(BREAKS["dropped"], text("Whole"))
    assert isinstance(await refused(server, "first", "second"), ModelUnavailable)
    assert server.asked == ["first"]


async def test_a_broken_call_gives_way_to_the_next_model(server: ModelServer) -> None:
    server.answers(BREAKS["half_a_call"], text("Whole"))
    answer, _ = await ask(server, "first", "second")
    assert (answer.text, answer.requests) == ("Whole", ())


async def test_an_overload_in_mid_stream_is_one(server: ModelServer) -> None:
    server.answers(events({"error": {"type": "overloaded_error", "message": "Overloaded"}}))
    assert isinstance(await refused(server), ModelOverloaded)


async def test_an_answer_that_is_given_up_leaves_nothing_to_the_garbage_collector(
    server: ModelServer,
) -> None:
    readers = ("/httpx2/", "/httpcore2/", "/openai/", "/activities/llm/")
    server.answers(events({"error": {"type": "overloaded_error", "message": "Overloaded"}}))
    await refused(server)
    await asyncio.sleep(0.1)  # The innermost are closed in tasks of their own.
    assert not [
        left.__qualname__
        for left in gc.get_objects()
        if isinstance(left, AsyncGeneratorType)
        and left.ag_frame is not None
        and any(reader in left.ag_code.co_filename for reader in readers)
        and "/tests/" not in left.ag_code.co_filename
    ]


async def test_an_answer_that_takes_too_long_is_given_up(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.event(delta(content="and so on "))
            await asyncio.sleep(0.02)

    server.answers(act)
    limits = Timeouts(idle_seconds=5, total_seconds=0.3)
    error = await refused(server, timeouts=limits)
    assert isinstance(error, ModelUnavailable)
    assert "longer than 0.3 s" in str(error)


async def test_an_answer_without_end_is_cut(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.event(delta(content="x" * (ANSWER_CHARACTERS // 4)))

    server.answers(act)
    answer, _ = await ask(server)
    assert answer.finish == "length"
    assert answer.usage.is_estimate
    assert ANSWER_CHARACTERS < len(answer.text) <= ANSWER_CHARACTERS * 5 // 4


# Endings


async def test_an_answer_at_its_length_limit_says_so(server: ModelServer) -> None:
    server.answers(text("Half a sen", finish="length"))
    answer, _ = await ask(server)
    assert (answer.text, answer.finish) == ("Half a sen", "length")


async def test_a_call_at_the_length_limit_is_given_as_far_as_it_went(server: ModelServer) -> None:
    server.answers(calls(call(0, id="c", name="now", arguments='{"a": "b'), finish="length"))
    answer, _ = await ask(server)
    assert answer.requests == (ToolRequest("c", "now", '{"a": "b'),)
    assert answer.finish == "length"


async def test_a_withheld_answer_is_an_error_of_its_own(server: ModelServer) -> None:
    server.answers(text("I will", finish="content_filter"), text("ok"))
    error = await refused(server, "first", "second")
    assert type(error) is AnswerWithheld
    assert not error.retryable
    assert server.asked == ["first"]


async def test_an_empty_answer_is_an_answer_and_is_paid_for(server: ModelServer) -> None:
    server.answers(text(tokens=(10, 0)))
    answer, pieces = await ask(server)
    assert (answer.text, answer.requests, answer.finish, pieces) == ("", (), "stop", [])
    assert answer.usage == Usage(10, 0, is_estimate=False)


async def test_an_answer_without_a_reason_is_whole_when_the_stream_says_done(
    server: ModelServer,
) -> None:
    server.answers(events(delta(content="Whole")))
    answer, _ = await ask(server)
    assert answer.text == "Whole"


async def test_an_answer_with_a_reason_is_whole_without_done(server: ModelServer) -> None:
    server.answers(events(delta(content="Whole"), delta("stop"), usage(3, 1), done=False))
    answer, _ = await ask(server)
    assert answer.text == "Whole"
    assert answer.usage == Usage(3, 1, is_estimate=False)


@pytest.mark.parametrize("end", [Exchange.drop, hang], ids=["dropped", "silent"])
async def test_a_stream_that_breaks_after_the_end_of_an_answer_does_no_harm(
    server: ModelServer, end: Callable[[Exchange], Any]
) -> None:
    server.answers(broken(delta(content="Whole"), delta("stop"), "[DONE]", end=end))
    answer, _ = await ask(server)
    assert answer.text == "Whole"
    assert answer.duration_ms < 1_000 * allowed(2)


async def test_comments_and_thoughts_are_not_part_of_the_answer(server: ModelServer) -> None:
    async def act(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.send(b": PROCESSING\n\nevent: message\nid: 1\n")
        await exchange.event(delta(reasoning_content="Hmm.", content=None, role="assistant"))
        await exchange.event(delta(content="Yes"))
        await exchange.event(delta("stop"))
        await exchange.event("[DONE]")
        await exchange.end()

    server.answers(act)
    answer, pieces = await ask(server)
    assert pieces == ["Yes"]
    assert answer.text == "Yes"
