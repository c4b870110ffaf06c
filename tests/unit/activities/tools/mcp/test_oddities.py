"""MCP servers that bend the protocol: what is plain works, and the rest is told at once."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from mcp_types import JSONRPCResponse, RequestId

from activities.tools.mcp import limits
from activities.tools.mcp.messages import read
from activities.tools.mcp.options import PoolOptions
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.results import McpFile, McpResult
from tests.doubles import mcp_odd
from tests.doubles.given_secrets import given_to_all
from tests.doubles.mcp_http import Double, Exchange, doubled
from tests.folders import DOUBLES
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import (
    McpAnswerInvalid,
    McpConnectionLost,
    McpStartTimedOut,
    McpUnavailable,
)

TEAM = uuid4()
CALL: dict[RequestId, str] = {1: "tools/call"}
MENDED = {
    *("no-type", "empty-schema", "null-schema", "no-schema", "boolean-schema", "list-for-object"),
    *("null-properties", "list-properties", "null-required", "nullable-type", "snake-case"),
    *("null-description", "list-description", "text-hints", "list-output", "odd-icons"),
    *("text-of-a-schema", "as-for-models"),
}
LEFT_OUT = {
    "array-type": "odd: its arguments are of type 'array', and not an object",
    "text-schema": "odd: its schema is no object",
    "text-property": "odd: the schema of its argument 'a' is no object",
    "odd-required": "odd: `required` in its schema is no list of names",
    "no-name": "tool 2: it has no name",
    "number-name": "tool 2: it has no name",
    "no-object": "tool 2: it is no object",
    "task-only": "odd: it can be called as a background task only, which AgentOS does not do",
}
READ = {
    "half-character": "ok \ufffd",
    "latin-1": "ok \ufffd",
    "raw-newline-in-text": "ok\t",
    "line-break-in-text": "ok\n",
    "null-text": "",
    "result-of-nothing": "",
    "object-for-text": '{"a": 1}',
    "structure-alone": '{"a": 1}',
    "unknown-part": "[a part of the answer was left out: it is no sound one of type 'video']\nok",
    "link-without-name": "Resource 'b.txt': odd://a/b.txt",
    **dict.fromkeys(
        ("byte-order-mark", "batch", "null-error", "id-as-text", "id-as-float", "no-version"), "ok"
    ),
    **dict.fromkeys(
        (
            *("over-lines", "carriage-return", "two-on-a-line", "comma-behind", "nul-behind"),
            *("in-colour", "in-a-text", "result-in-a-text", "two-answers"),
            *("odd-progress", "odd-log", "list-for-parameters", "part-for-parts"),
            *("text-for-part", "null-for-part", "part-without-type", "odd-annotations"),
            *("null-for-error", "list-for-meta", "structure-of-a-list", "result-of-2024"),
            "resource-without-uri",
        ),
        "ok",
    ),
}
UNREADABLE = (
    *("broken-json", "broken-json-id-last", "null-result", "list-result", "no-result"),
    "text-content",
)
REFUSED = {
    **dict.fromkeys(("text-error", "text-code", "error-without-id", "forged-failure"), "no"),
    "error-without-words": "null",
}
LAST_WORDS = {
    "dies": "usage: server --token TOKEN\nerror: no token",
    "dies-in-colour": "error: no token",
    "dies-with-a-secret": "no such user: secret:WORD",
    "dies-in-binary": "\ufffderror: no token",
}


def odd(name: str) -> McpServer:
    args = ("-I", str(DOUBLES / "mcp_odd.py"), name)
    env = {"WORD": "secret:WORD"}
    return McpServer(name="odd", transport="stdio", command=sys.executable, args=args, env=env)


def a_pool() -> McpPool:
    return McpPool(
        policy=McpPolicy.for_loopback(),
        secrets=given_to_all(WORD="open-sesame"),
        environment={"PATH": os.environ["PATH"]},
    )


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    async with a_pool() as pool:
        yield pool


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[McpPool]:
    """For calls to one program, each of which names its oddity."""
    async with a_pool() as pool:
        yield pool


async def call(pool: McpPool, name: str) -> McpResult:
    """What comes of an answer with this oddity."""
    async with asyncio.timeout(30):  # The call itself might take an hour.
        return await pool.call(TEAM, odd("any"), "good", {"oddity": name}, timeout_seconds=3_600)


@pytest.mark.parametrize("name", sorted(MENDED))
async def test_a_definition_whose_meaning_is_plain_is_mended(pool: McpPool, name: str) -> None:
    listing = await pool.probe(TEAM, odd(name))
    assert [tool.name for tool in listing.tools] == ["good", "odd"]
    assert listing.tools[1].schema["type"] == "object"
    assert not listing.tools[1].is_retry_safe
    assert listing.refused == ()


@pytest.mark.parametrize(("name", "reason"), sorted(LEFT_OUT.items()))
async def test_a_tool_that_nobody_can_call_is_left_out_by_name_and_the_others_work(
    pool: McpPool, name: str, reason: str
) -> None:
    listing = await pool.probe(TEAM, odd(name))
    assert [tool.name for tool in listing.tools] == ["good"]
    assert listing.refused == (reason,)
    assert (await pool.call(TEAM, odd(name), "good", {})).text == "ok"


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        *(("null-tools", 0), ("no-tools", 0), ("empty-cursor", 1), ("null-cursor", 1)),
        *(("cursor-in-circles", 1), ("cursor-of-an-object", 1)),
        *(("tools-by-name", 1), ("odd-lifetime", 1)),
    ],
)
async def test_a_list_without_an_end_or_a_beginning_is_a_list(
    pool: McpPool, name: str, tools: int
) -> None:
    assert len((await pool.probe(TEAM, odd(name))).tools) == tools


@pytest.mark.parametrize(("name", "text"), sorted(READ.items()))
async def test_an_answer_whose_meaning_is_plain_is_read(
    shared: McpPool, name: str, text: str
) -> None:
    result = await call(shared, name)
    assert (result.text, result.is_error) == (text, False)


@pytest.mark.parametrize("name", ["url-for-data", "data-in-lines", "data-without-padding"])
async def test_a_file_is_kept_however_its_data_is_written(shared: McpPool, name: str) -> None:
    result = await call(shared, name)
    assert result.files == (McpFile("image.png", "image/png", b"dots"),)


@pytest.mark.parametrize("name", sorted(mcp_odd.GREETINGS))
async def test_a_greeting_whose_meaning_is_plain_is_taken_and_else_the_reason_said(
    pool: McpPool, name: str
) -> None:
    said = mcp_odd.GREETINGS[name].get("protocolVersion")
    if said not in ("2099-01-01", "1.0"):
        assert (await pool.call(TEAM, odd(name), "good", {})).text == "ok"
        return
    with pytest.raises(McpUnavailable, match=f"it speaks version '{said}' of the protocol"):
        await pool.probe(TEAM, odd(name))


def test_json_in_a_text_is_bounded_as_json_is() -> None:
    many: list[object] = [[]] * (limits.MAX_VALUES + 1)
    result = {"content": [], "structuredContent": {"a": many}}
    whole = {"jsonrpc": "2.0", "id": 1, "result": result}
    for raw in (json.dumps(json.dumps(whole)), json.dumps(whole | {"result": json.dumps(result)})):
        assert not any(isinstance(item, JSONRPCResponse) for item in read(raw.encode(), CALL))
    listed = {"tools": [{"name": "a", "inputSchema": json.dumps({"type": "object", "a": many})}]}
    [message] = read(json.dumps(whole | {"result": listed}).encode(), {1: "tools/list"})
    assert "its schema is no object" in str(message)


async def test_what_a_server_says_that_nobody_can_read_is_in_no_log(
    pool: McpPool, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("odd-log", "odd-progress"):
        await pool.call(TEAM, odd("any"), "good", {"oddity": name})
    assert "LOUD" not in caplog.text
    assert "half" not in caplog.text


@pytest.mark.parametrize("name", UNREADABLE)
async def test_an_answer_that_nobody_can_read_fails_its_call_at_once(
    shared: McpPool, name: str
) -> None:
    with pytest.raises(McpAnswerInvalid):
        await call(shared, name)


@pytest.mark.parametrize(("name", "words"), sorted(REFUSED.items()))
async def test_an_error_of_any_form_is_the_answer_to_its_call(
    shared: McpPool, name: str, words: str
) -> None:
    result = await call(shared, name)
    assert (result.text, result.is_error) == (words, True)


async def test_resources_of_a_server_are_read_by_a_tool_that_it_does_not_have(
    pool: McpPool,
) -> None:
    server = odd("resources")
    reading = (await pool.probe(TEAM, server)).tools[-1]
    assert (reading.name, reading.reads_resources) == ("read_resource", True)

    async def read(uri: str) -> McpResult:
        return await pool.call(TEAM, server, reading.name, {"uri": uri}, reads_resources=True)

    assert (await read("odd://a.txt")).text == "the text of odd://a.txt"
    file = McpFile("b.bin", "image/x-odd", b"\x00\x01\x02")
    assert (await read("odd://folder/b.bin")).files == (file,)


async def test_a_server_without_resources_gets_no_tool_to_read_them(pool: McpPool) -> None:
    listing = await pool.probe(TEAM, odd("no-resources"))
    assert [tool.name for tool in listing.tools] == ["good"]


async def test_a_tool_of_a_server_keeps_its_name_when_it_is_that_of_ours(pool: McpPool) -> None:
    listing = await pool.probe(TEAM, odd("resources-and-a-tool"))
    assert [(tool.name, tool.reads_resources) for tool in listing.tools] == [
        ("good", False),
        ("read_resource", False),
        ("read_resource_by_uri", True),
    ]


@pytest.mark.parametrize(("name", "words"), sorted(LAST_WORDS.items()))
async def test_a_program_that_dies_at_start_is_quoted_without_secrets(
    pool: McpPool, name: str, words: str
) -> None:
    with pytest.raises(McpUnavailable, match="its program ended with exit code 3") as raised:
        await pool.probe(TEAM, odd(name))
    assert raised.value.said == words
    assert "token" not in str(raised.value)


async def test_a_server_that_does_not_list_its_tools_is_quoted(pool: McpPool) -> None:
    with pytest.raises(McpUnavailable, match="it refused to list its tools") as raised:
        await pool.probe(TEAM, odd("refuses-to-list"))
    assert raised.value.said == "not today"


async def test_the_last_words_of_a_program_are_its_last(pool: McpPool) -> None:
    with pytest.raises(McpUnavailable) as raised:
        await pool.probe(TEAM, odd("dies-at-length"))
    assert raised.value.said.endswith("line\nerror: no token")
    assert len(raised.value.said) <= 2_000


async def test_a_program_that_is_not_ready_in_time_names_the_setting() -> None:
    args = (
        "-c",
        "import sys, time; print('fetching', file=sys.stderr, flush=True); time.sleep(99)",
    )
    slow = McpServer(name="slow", transport="stdio", command=sys.executable, args=args)
    async with McpPool(
        policy=McpPolicy.for_loopback(), options=PoolOptions(start_seconds=2)
    ) as pool:
        with pytest.raises(
            McpStartTimedOut, match=r"within 2 s.*AGENTOS_MCP_START_SECONDS"
        ) as raised:
            await pool.probe(TEAM, slow)
    assert raised.value.said == "fetching"


# Over HTTP.


def _remote(double: Double) -> McpServer:
    return McpServer(name="remote", transport="http", url=double.url)


def _saying(name: str, kind: str = "application/json", frame: bytes = b"%b") -> Double:
    async def say(exchange: Exchange) -> None:
        said = mcp_odd.answers(name, exchange.asked.message)
        await exchange.answer(200, frame % said, content_type=kind)

    return Double(acts={"tools/list": say, "tools/call": say})


FRAMES = {
    "json": ("application/json", b"%b"),
    "events": ("text/event-stream", b"event: message\ndata: %b\n\n"),
    "json-as-text": ("text/plain", b"%b"),
    "events-as-text": ("text/plain", b"data: %b\n\n"),
}


@pytest.mark.parametrize("frame", sorted(FRAMES))
@pytest.mark.parametrize("name", ["half-character", "batch", "null-error", "latin-1"])
async def test_an_answer_is_read_over_http_as_from_a_program(
    pool: McpPool, name: str, frame: str
) -> None:
    async with doubled(_saying(name, *FRAMES[frame])) as double:
        assert (await pool.call(TEAM, _remote(double), "good", {})).text == READ[name]


@pytest.mark.parametrize("frame", sorted(FRAMES))
async def test_a_bad_tool_is_left_out_over_http_too(pool: McpPool, frame: str) -> None:
    async with doubled(_saying("array-type", *FRAMES[frame])) as double:
        listing = await pool.probe(TEAM, _remote(double))
    assert [tool.name for tool in listing.tools] == ["good"]
    assert listing.refused == (LEFT_OUT["array-type"],)


@pytest.mark.parametrize("frame", ["json", "events"])
@pytest.mark.parametrize("name", ["broken-json", "null-result"])
async def test_an_unreadable_answer_over_http_fails_its_call_at_once(
    pool: McpPool, name: str, frame: str
) -> None:
    async with doubled(_saying(name, *FRAMES[frame])) as double, asyncio.timeout(30):
        with pytest.raises(McpAnswerInvalid):
            await pool.call(TEAM, _remote(double), "good", {}, timeout_seconds=3_600)


def _streaming(*chunks: bytes) -> Double:
    """``%b`` in a chunk is the answer."""

    async def stream(exchange: Exchange) -> None:
        said = mcp_odd.answers("any", exchange.asked.message)
        await exchange.head(200, content_type="text/event-stream", connection="close")
        for chunk in chunks:
            await exchange.raw(chunk.replace(b"%b", said))
        exchange.end()

    return Double(acts={"tools/call": stream})


STREAMS = {
    "byte-order-mark": (b"\xef\xbb\xbfdata: %b\n\n",),
    "no-empty-line": (b"data: %b\n",),
    "no-end-of-line": (b"data: %b",),
    "another-name": (b"event: response\ndata: %b\n\n",),
    "ping-before": (b"event: ping\ndata: now\n\n", b"data: %b\n\n"),
    "json-alone": (b"%b",),
    "json-in-lines": (b"\n%b\n",),
    "done-behind": (b"data: %b\n\n", b"data: [DONE]\n\n"),
    "in-pieces": (b"da", b"ta:", b" %b", b"\n", b"\n"),
    "carriage-returns": (b"data: %b\r\r",),
}


@pytest.mark.parametrize("name", sorted(STREAMS))
async def test_an_answer_in_a_stream_of_any_form_is_read(pool: McpPool, name: str) -> None:
    async with doubled(_streaming(*STREAMS[name])) as double, asyncio.timeout(30):
        assert (await pool.call(TEAM, _remote(double), "good", {})).text == "ok"


async def test_a_stream_that_ends_in_half_an_answer_fails_its_call_at_once(pool: McpPool) -> None:
    double = _streaming(b'data: {"jsonrpc": "2.0", "id": 2, "result": {"cont')
    async with doubled(double), asyncio.timeout(30):
        with pytest.raises((McpAnswerInvalid, McpConnectionLost)):
            await pool.call(TEAM, _remote(double), "good", {}, timeout_seconds=3_600)


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_within_the_server_is_followed(pool: McpPool, status: int) -> None:
    """Many a framework sends what asks for ``/mcp`` on to ``/mcp/``."""

    async def lead_on(exchange: Exchange) -> None:
        if exchange.asked.path == "/mcp/":
            await double.behave(exchange)
        else:
            await exchange.answer(status, location="/mcp/")

    methods = ("server/discover", "initialize", "notifications/initialized", "tools/list")
    double = Double(acts=dict.fromkeys((*methods, "tools/call"), lead_on))
    async with doubled(double):
        result = await pool.call(TEAM, _remote(double), "echo", {"text": "ok"})
    assert result.text == "ok"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Invalid or missing session ID", "text/plain"),
        (
            b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":'
            b'"Bad Request: No valid session ID provided"}}',
            "application/json",
        ),
    ],
)
async def test_a_session_that_is_gone_may_be_said_to_be_with_400(
    pool: McpPool, body: bytes, kind: str
) -> None:
    async def forget(exchange: Exchange) -> None:
        if len(double.asked_for("initialize")) == 1:
            await exchange.answer(400, body, content_type=kind)
        else:
            await double.behave(exchange)

    double = Double(acts={"tools/call": forget})
    async with doubled(double):
        result = await pool.call(TEAM, _remote(double), "echo", {"text": "ok"})
    assert result.text == "ok"


async def test_another_bad_request_is_not_sent_again(pool: McpPool) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.error(-32_602, "session not found: main", 400)

    double = Double(acts={"tools/call": refuse})
    async with doubled(double):
        result = await pool.call(TEAM, _remote(double), "echo", {})
        assert (result.text, result.is_error) == ("session not found: main", True)
        assert len(double.asked_for("tools/call")) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_wants_credentials_is_told_how_to_get_them(
    pool: McpPool, status: int
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(status, www_authenticate="Bearer")

    double = Double(acts=dict.fromkeys(("server/discover", "initialize"), refuse))
    async with doubled(double):
        with pytest.raises(McpUnavailable, match=r"--header 'Authorization=Bearer secret:NAME'"):
            await pool.probe(TEAM, _remote(double))


async def test_an_answer_with_nothing_in_it_is_none(pool: McpPool) -> None:
    async def say_nothing(exchange: Exchange) -> None:
        await exchange.answer(204)

    async with doubled(Double(acts={"tools/call": say_nothing})) as double:
        with pytest.raises(McpAnswerInvalid, match="no message of the protocol"):
            await pool.call(TEAM, _remote(double), "echo", {})


async def test_an_id_of_a_session_that_cannot_be_sent_back_is_refused(pool: McpPool) -> None:
    async def greet(exchange: Exchange) -> None:
        await exchange.result({}, mcp_session_id="\u00e9")

    async with doubled(Double(acts={"initialize": greet})) as double:
        with pytest.raises(McpUnavailable, match="the id of its session"):
            await pool.probe(TEAM, _remote(double))
