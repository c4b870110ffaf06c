"""The offline model over HTTP, asked as the openai client asks."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from deploy.local.errors import PortTaken
from deploy.offline_model.app import ModelServerOptions
from deploy.offline_model.bodies import MAX_BODY_BYTES
from deploy.offline_model.errors import NotLoopback
from deploy.offline_model.server import serve, serving

AT_ONCE = ModelServerOptions(tokens_per_second=0)
SCRIPTED = ModelServerOptions(tokens_per_second=0, allows_scripts=True)
LABEL = "offline-rules (keyword rules, not a language model)"
CATALOGUE = (
    "<available_skills><skill><name>greet</name><description>Greets.</description></skill>"
    "</available_skills>"
)
GREET: list[Any] = [
    {"role": "system", "content": CATALOGUE},
    {"role": "user", "content": "greet us"},
]
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "parameters": {}}}
    for name in ("load_skill", "run_skill_script", "finish")
]


@pytest.fixture(scope="module")
async def rules() -> AsyncIterator[str]:
    async with serving(AT_ONCE) as url:
        yield url


@pytest.fixture(scope="module")
async def scripted() -> AsyncIterator[str]:
    async with serving(SCRIPTED) as url:
        yield url


@pytest.fixture
async def client(rules: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=rules, api_key="none", max_retries=0) as client:
        yield client


class Scripted:
    """A model that answers by a script."""

    def __init__(self, url: str, registered: dict[str, str]) -> None:
        self.url = url
        self.id = registered["id"]
        self.model = registered["model"]
        self.base_url = registered["base_url"]

    async def answer(self, **request: Any) -> list[Any]:
        """The chunks of a streamed answer."""
        return [chunk async for chunk in self.chunks(**request)]

    async def chunks(self, *, timeout_seconds: float = 10, **request: Any) -> AsyncIterator[Any]:
        async with self._client(timeout_seconds) as client:
            asked: dict[str, Any] = {"model": self.model, "messages": GREET, **request}
            async with await client.chat.completions.create(**asked, stream=True) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def whole_answer(self, **request: Any) -> Any:
        async with self._client(10) as client:
            asked: dict[str, Any] = {"model": self.model, "messages": GREET, **request}
            return await client.chat.completions.create(**asked)

    def _client(self, timeout_seconds: float) -> AsyncOpenAI:
        return AsyncOpenAI(
            base_url=self.url, api_key="none", max_retries=0, timeout=timeout_seconds
        )


async def script(url: str, *replies: dict[str, Any], **more: Any) -> Scripted:
    async with httpx.AsyncClient() as http:
        place = url.removesuffix("/v1") + "/scripts"
        answer = await http.post(place, json={"replies": replies, **more})
        assert answer.status_code == 201, answer.text
        return Scripted(url, answer.json())


async def test_the_offline_model_lists_itself_as_the_only_model(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["offline-rules"]


async def test_the_root_says_that_it_is_no_language_model(rules: str) -> None:
    async with httpx.AsyncClient() as http:
        about = (await http.get(rules.removesuffix("/v1"))).json()
    assert about["is_language_model"] is False
    assert LABEL in about["description"]


async def test_a_whole_answer_has_calls_and_usage(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="offline-rules", messages=GREET, tools=TOOLS
    )
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content
    assert choice.message.content.startswith(LABEL)
    assert choice.message.tool_calls
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "load_skill",
        {"skill": "greet"},
    )
    assert answer.usage
    assert answer.usage.total_tokens > 10


async def test_a_stream_says_the_same_in_pieces_and_counts_if_asked(client: AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="offline-rules", messages=GREET, tools=TOOLS)
    stream = await client.chat.completions.create(
        model="offline-rules",
        messages=GREET,
        tools=TOOLS,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    pieces = [call for delta in deltas for call in delta.tool_calls or ()]
    arguments = "".join(call.function.arguments or "" for call in pieces if call.function)
    assert json.loads(arguments) == {"skill": "greet"}
    assert len(chunks) > 10
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage


async def test_a_stream_does_not_count_unless_asked(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="offline-rules", messages=GREET, stream=True
    )
    assert not any([chunk.usage async for chunk in stream])


async def test_a_stream_keeps_to_its_pace() -> None:
    async with (
        serving(ModelServerOptions(tokens_per_second=100)) as url,
        AsyncOpenAI(base_url=url, api_key="none") as client,
    ):
        began = time.monotonic()
        stream = await client.chat.completions.create(
            model="offline-rules", messages=GREET, stream=True
        )
        count = len([chunk async for chunk in stream])
    assert time.monotonic() - began > count / 100


async def test_no_piece_of_an_answer_waits_for_the_client_to_acknowledge_the_one_before(
    rules: str,
) -> None:
    address = httpx.URL(rules)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    with closing(writer):
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readline()
        client = writer.get_extra_info("sockname")
        with server_end(client) as served:
            assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def server_end(client: object) -> socket.socket:
    """The other end of a client's connection to a server inside this process."""
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(link.readlink()).startswith("socket:"):
                end = socket.socket(fileno=os.dup(int(link.name)))
                with suppress(OSError):
                    if end.getpeername() == client:
                        return end
                end.close()
    raise AssertionError(f"Nothing is connected to {client}.")


async def test_another_model_is_not_found_and_the_error_says_what_to_set(
    client: AsyncOpenAI,
) -> None:
    with pytest.raises(openai.NotFoundError, match="set OPENAI_API_KEY") as caught:
        await client.chat.completions.create(model="gpt-x", messages=GREET)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "it must be JSON"),
        (b"{}", 400, "model: this field is required"),
        (b'{"model": "offline-rules", "messages": []}', 400, "messages"),
        (b'{"model": "offline-rules", "messages": [{"role": "cat"}]}', 400, "messages.0.role"),
        (b" " * (MAX_BODY_BYTES + 1), 413, str(MAX_BODY_BYTES)),
    ],
    ids=["no JSON", "nothing", "no messages", "an unknown role", "too large"],
)
async def test_a_request_that_cannot_be_read_is_refused_in_openais_shape(
    rules: str, body: bytes, status: int, told: str
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{rules}/chat/completions", content=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert told in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(("path", "status"), [("/v1/embeddings", 404), ("/v1/models", 405)])
async def test_the_offline_model_refuses_unknown_calls_in_openais_format(
    rules: str, path: str, status: int
) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(rules.removesuffix("/v1") + path)
    assert answer.status_code == status
    assert path in answer.json()["error"]["message"]


async def test_scripts_are_not_taken_unless_the_server_allows_them(rules: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(rules.removesuffix("/v1") + "/scripts", json={"replies": []})
    assert answer.status_code == 404


async def test_a_script_answers_word_for_word_and_in_order(scripted: str) -> None:
    call = {"name": "read_file", "arguments": "{not json", "id": "call_x"}
    replies = ({"kind": "answer", "text": ["Hel", "lo"]}, {"kind": "answer", "calls": [call]})
    model = await script(scripted, *replies)
    texts = [chunk.choices[0].delta.content for chunk in await model.answer()]
    assert [text for text in texts if text] == ["Hel", "lo"]
    answer = await model.whole_answer()
    (called,) = answer.choices[0].message.tool_calls
    assert (called.id, called.function.arguments) == ("call_x", "{not json")


async def test_a_script_at_its_end_says_so(scripted: str) -> None:
    model = await script(scripted, {"kind": "answer"})
    await model.answer()
    with pytest.raises(openai.BadRequestError, match="no reply left: it had 1"):
        await model.answer()


async def test_a_script_that_repeats_begins_anew(scripted: str) -> None:
    model = await script(scripted, {"kind": "answer", "text": ["a"]}, repeats=True)
    answers = [await model.whole_answer() for _ in range(3)]
    assert [answer.choices[0].message.content for answer in answers] == ["a", "a", "a"]


async def test_requests_to_a_scripted_model_can_be_read_back(scripted: str) -> None:
    model = await script(scripted, {"kind": "answer"})
    await model.whole_answer(temperature=0.5)
    async with httpx.AsyncClient() as http:
        place = scripted.removesuffix("/v1") + f"/scripts/{model.id}/requests"
        asked = (await http.get(place)).json()
    assert asked["received"] == 1
    assert asked["requests"][0]["body"]["temperature"] == 0.5
    assert asked["requests"][0]["headers"]["authorization"] == "Bearer none"


async def test_a_script_has_an_address_of_its_own_for_any_model(scripted: str) -> None:
    model = await script(scripted, {"kind": "answer", "text": ["here"]}, id="mine")
    async with AsyncOpenAI(base_url=model.base_url, api_key="none") as client:
        assert [found.id async for found in client.models.list()] == ["script:mine"]
        answer = await client.chat.completions.create(model="gpt-x", messages=GREET)
    assert answer.choices[0].message.content == "here"


async def test_a_script_can_refuse_with_headers(scripted: str) -> None:
    refusal = {"kind": "error", "status": 429, "headers": {"Retry-After": "7"}, "code": "slow"}
    model = await script(scripted, refusal)
    with pytest.raises(openai.RateLimitError) as caught:
        await model.answer()
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "slow"


async def test_a_script_can_count_as_it_likes_or_not_at_all(scripted: str) -> None:
    counted = {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}
    replies = ({"kind": "answer", "usage": counted}, {"kind": "answer", "usage": {}})
    model = await script(scripted, *replies)
    options = {"stream_options": {"include_usage": True}}
    chunks = await model.answer(**options)
    assert chunks[-1].usage.prompt_tokens == 7
    assert not any(chunk.usage for chunk in await model.answer(**options))


async def test_a_script_can_send_what_is_no_stream(scripted: str) -> None:
    model = await script(scripted, {"kind": "raw", "body": "data: {broken\n\n"})
    with pytest.raises((json.JSONDecodeError, openai.APIError)):
        await model.answer()


@pytest.mark.parametrize(
    "reply",
    [
        {"kind": "drop"},
        {"kind": "answer", "text": ["a", "b"], "ending": "drop"},
        {"kind": "raw", "body": "data:", "ending": "drop"},
    ],
    ids=["before anything", "in the middle", "raw"],
)
async def test_a_script_can_drop_the_connection(scripted: str, reply: dict[str, Any]) -> None:
    model = await script(scripted, reply)
    with pytest.raises((openai.APIConnectionError, httpx.TransportError)):
        await model.answer()


@pytest.mark.parametrize(
    "reply",
    [{"kind": "hang"}, {"kind": "answer", "text": ["a"], "ending": "hang"}],
    ids=["before anything", "in the middle"],
)
async def test_a_script_can_hang(scripted: str, reply: dict[str, Any]) -> None:
    model = await script(scripted, reply)
    with pytest.raises((openai.APITimeoutError, httpx.ReadTimeout)):
        await model.answer(timeout_seconds=0.3)


async def test_a_script_can_be_slow_to_begin_and_slow_to_go_on(scripted: str) -> None:
    slow = {"kind": "answer", "text": ["a", "b"], "delay_seconds": 0.2, "pause_seconds": 0.1}
    model = await script(scripted, slow)
    began = time.monotonic()
    times = [time.monotonic() - began async for _ in model.chunks()]
    assert times[0] >= 0.2
    assert times[-1] >= 0.2 + 3 * 0.1  # four chunks: the role, two of text, the end


async def test_the_offline_model_alone_serves_at_the_printed_address_until_stopped() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli", "model", "--port", "0"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    line = (await process.stderr.readline()).decode()
    async with httpx.AsyncClient() as http:
        models = await http.get(f"{line.split()[-1]}/models")
    assert models.json()["data"][0]["id"] == "offline-rules"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "agentos.example"])
async def test_the_offline_model_is_not_served_beyond_this_machine(host: str) -> None:
    with pytest.raises(NotLoopback, match="on this machine only"):
        await serve(host, 0, AT_ONCE, print)


async def test_a_port_that_is_taken_is_named(rules: str) -> None:
    port = httpx.URL(rules).port
    assert port
    with pytest.raises(PortTaken, match=str(port)):
        await serve("127.0.0.1", port, AT_ONCE, print)
