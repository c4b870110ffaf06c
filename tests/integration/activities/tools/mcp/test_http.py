"""The pool with servers of streamable HTTP: a true one that is killed, and a double that lies."""

import asyncio
import contextlib
import gzip
import json
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from activities.tools.mcp import limits
from activities.tools.mcp.http import Guard, reaching
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from deploy.local.tcp_ports import choose_ports
from tests.doubles.given_secrets import given_to_all
from tests.doubles.mcp_http import Double, Exchange, doubled
from tests.folders import DOUBLES
from tests.security.processes import until
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import (
    McpAnswerInvalid,
    McpConnectionLost,
    McpNotAllowed,
    McpTimedOut,
    McpUnavailable,
)

SERVER = DOUBLES / "mcp_sdk_server.py"
TEAM = uuid4()


def at(url: str, **more: Any) -> McpServer:
    given = {"name": "remote", "transport": "http", "url": url, **more}
    return McpServer.model_validate(given)


class Remote:
    """A true server in a process of its own."""

    def __init__(self) -> None:
        [self.port] = choose_ports([None])
        self.server = at(f"http://127.0.0.1:{self.port}/mcp")
        self._process: Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SERVER), str(self.port)), stderr=DEVNULL
        )
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def remote() -> AsyncIterator[Remote]:
    remote = Remote()
    await remote.start()
    try:
        yield remote
    finally:
        await remote.kill()


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[McpServer]:
    """One that no test kills."""
    async with remote() as started:
        yield started.server


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    secrets = given_to_all(WORD="open-sesame")
    async with McpPool(policy=McpPolicy.for_loopback(), secrets=secrets) as pool:
        yield pool


@pytest.fixture
async def double() -> AsyncIterator[Double]:
    async with doubled() as double:
        yield double


async def echo(pool: McpPool, server: McpServer, text: str) -> str:
    result = await pool.call(TEAM, server, "echo", {"text": text})
    assert not result.is_error, result.text
    return result.text


async def test_a_call_over_http_is_answered(pool: McpPool, shared: McpServer) -> None:
    assert await echo(pool, shared, "héllo") == "héllo"
    result = await pool.call(TEAM, shared, "unknown", {})
    assert result.is_error


async def test_calls_run_beside_each_other(pool: McpPool, shared: McpServer) -> None:
    texts = [str(number) for number in range(50)]
    assert await asyncio.gather(*(echo(pool, shared, text) for text in texts)) == texts


async def test_a_server_that_is_killed_in_mid_call_is_no_cancellation(
    pool: McpPool, tmp_path: Path
) -> None:
    async with remote() as server:
        begun = [tmp_path / f"begun-{number}" for number in range(3)]
        calls = [
            asyncio.create_task(
                pool.call(TEAM, server.server, "wait", {"begun": str(file), "seconds": 60})
            )
            for file in begun
        ]
        # All of them: one that was not sent yet would rightly be tried on another connection.
        for file in begun:
            await until(file.exists)
        await server.kill()
        for call in calls:
            with pytest.raises(McpConnectionLost, match="may have taken effect"):
                await call
        with pytest.raises(McpUnavailable, match="Connection refused"):
            await echo(pool, server.server, "nobody there")
        await server.start()
        assert await echo(pool, server.server, "again") == "again"


async def test_a_server_that_was_started_anew_between_calls_is_just_called(pool: McpPool) -> None:
    async with remote() as server:
        assert await echo(pool, server.server, "one") == "one"
        await server.kill()
        await server.start()
        assert await echo(pool, server.server, "two") == "two"


async def test_a_cancellation_passes_through_and_cancels_the_http_request(
    pool: McpPool, shared: McpServer, tmp_path: Path
) -> None:
    files = {name: str(tmp_path / name) for name in ("begun", "cancelled")}
    running = asyncio.create_task(pool.call(TEAM, shared, "wait_until_cancelled", files))
    await until((tmp_path / "begun").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until((tmp_path / "cancelled").exists)
    assert await echo(pool, shared, "still there") == "still there"


async def test_signs_of_progress_keep_a_call_over_http_alive(
    pool: McpPool, shared: McpServer
) -> None:
    arguments = {"times": 25, "pause": 0.1}
    result = await pool.call(TEAM, shared, "progress", arguments, timeout_seconds=2)
    assert result.text == "done"


async def test_a_call_over_http_that_takes_too_long_is_cancelled(
    pool: McpPool, shared: McpServer, tmp_path: Path
) -> None:
    files = {name: str(tmp_path / name) for name in ("begun", "cancelled")}
    with pytest.raises(McpTimedOut):
        await pool.call(TEAM, shared, "wait_until_cancelled", files, timeout_seconds=0.3)
    await until((tmp_path / "cancelled").exists)


async def test_the_tools_are_told_when_they_change() -> None:
    listings: asyncio.Queue[Listing] = asyncio.Queue()

    async def on_listing(team_id: object, told: McpServer, listing: Listing) -> None:
        listings.put_nowait(listing)

    async with (
        remote() as server,
        McpPool(policy=McpPolicy.for_loopback(), on_listing=on_listing) as pool,
    ):
        await echo(pool, server.server, "hello")
        first = await asyncio.wait_for(listings.get(), 10)
        assert "new" not in [tool.name for tool in first.tools]
        await pool.call(TEAM, server.server, "grow", {"name": "new"})
        second = await asyncio.wait_for(listings.get(), 10)
        assert "new" in [tool.name for tool in second.tools]


async def test_headers_are_sent_with_their_secrets(pool: McpPool, double: Double) -> None:
    server = at(double.url, headers={"Authorization": "Bearer secret:WORD", "X-Place": "here"})
    assert await echo(pool, server, "hello") == "hello"
    for asked in double.asked:
        assert asked.headers["authorization"] == "Bearer open-sesame"
        assert asked.headers["x-place"] == "here"


async def test_a_session_that_the_server_forgot_is_begun_anew(
    pool: McpPool, double: Double
) -> None:
    assert await echo(pool, at(double.url), "one") == "one"
    double.sessions.clear()
    assert await echo(pool, at(double.url), "two") == "two"
    assert len(double.asked_for("initialize")) == 2


async def test_a_call_is_never_sent_twice_once_it_was_read(pool: McpPool, double: Double) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.cut()

    double.acts["tools/call"] = cut
    with pytest.raises(McpConnectionLost):
        await echo(pool, at(double.url), "once")
    assert len(double.asked_for("tools/call")) == 1


async def test_an_answer_that_breaks_off_ends_its_own_call_only(
    pool: McpPool, double: Double
) -> None:
    told = asyncio.Event()

    async def break_off(exchange: Exchange) -> None:
        if exchange.asked.message["params"]["arguments"]["text"] != "broken":
            await told.wait()
            await double.behave(exchange)
            return
        await exchange.head(200, content_type="application/json", content_length="100")
        await exchange.raw(b'{"jsonrpc"')
        exchange.cut()

    double.acts["tools/call"] = break_off
    other = asyncio.create_task(echo(pool, at(double.url), "whole"))
    with pytest.raises(McpConnectionLost):
        await echo(pool, at(double.url), "broken")
    told.set()
    assert await other == "whole"
    assert len(double.asked_for("initialize")) == 1


async def test_a_stream_that_breaks_off_is_reported(pool: McpPool, double: Double) -> None:
    async def break_off(exchange: Exchange) -> None:
        await exchange.head(200, content_type="text/event-stream")
        await exchange.raw(b": hello\n\n")
        exchange.cut()

    double.acts["tools/call"] = break_off
    with pytest.raises(McpConnectionLost, match="may have taken effect"):
        await echo(pool, at(double.url), "x")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_to_another_origin_is_not_followed(
    pool: McpPool, double: Double, status: int
) -> None:
    async with doubled() as other:

        async def lead_away(exchange: Exchange) -> None:
            await exchange.answer(status, location=other.url)

        double.acts = dict.fromkeys(("server/discover", "initialize", "tools/call"), lead_away)
        with pytest.raises(McpUnavailable) as raised:
            await pool.probe(TEAM, at(double.url))
        assert "not followed" in raised.value.said
        assert other.asked == []


async def test_a_later_redirect_to_another_origin_is_not_followed(
    pool: McpPool, double: Double
) -> None:
    async with doubled() as other:

        async def lead_away(exchange: Exchange) -> None:
            await exchange.answer(307, location=other.url)

        double.acts["tools/call"] = lead_away
        result = await pool.call(TEAM, at(double.url), "echo", {})
        assert result.is_error
        assert "not followed" in result.text
        assert other.asked == []


async def test_an_address_that_the_policy_forbids_is_not_asked(double: Double) -> None:
    async with McpPool(policy=McpPolicy(hosts=("a.example",))) as pool:
        with pytest.raises(McpNotAllowed):
            await pool.call(TEAM, at(double.url), "echo", {})
    assert double.asked == []


def named_pool(double: Double, *answers: list[str], is_inside: bool = True) -> McpPool:
    """A pool for which ``mcp.example`` has these addresses, the last ones for ever."""
    origin = f"mcp.example:{double.port}"
    left = list(answers)

    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("mcp.example", double.port)
        return left.pop(0) if len(left) > 1 else left[0]

    policy = McpPolicy(hosts=(f"http://{origin}",), private_hosts=(origin,) if is_inside else ())
    return McpPool(policy=policy, resolve=resolve)


def named(double: Double) -> McpServer:
    return at(f"http://mcp.example:{double.port}/mcp")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1"]
)
async def test_a_name_that_leads_into_the_house_is_not_asked(double: Double, address: str) -> None:
    async with named_pool(double, ["93.184.216.34", address], is_inside=False) as pool:
        with pytest.raises(McpNotAllowed, match=f"address {address}.*AGENTOS_PRIVATE_HOSTS"):
            await pool.probe(TEAM, named(double))
        with pytest.raises(McpNotAllowed):
            await echo(pool, named(double), "x")
    assert double.asked == []


async def test_a_private_server_may_not_be_where_machines_get_their_secrets(
    double: Double,
) -> None:
    async with named_pool(double, ["169.254.169.254"]) as pool:
        with pytest.raises(McpNotAllowed, match=r"169\.254\.169\.254"):
            await pool.probe(TEAM, named(double))


async def test_a_name_that_leads_elsewhere_later_is_not_followed(double: Double) -> None:
    async with named_pool(double, ["127.0.0.1"], ["169.254.169.254"]) as pool:
        for text in ("one", "two"):
            assert await echo(pool, named(double), text) == text
        double.sessions.clear()  # It must connect anew, and so looks again.
        with pytest.raises(McpNotAllowed):
            await echo(pool, named(double), "three")
    assert {asked.headers["host"] for asked in double.asked} == {f"mcp.example:{double.port}"}


async def test_every_address_of_a_name_is_tried(double: Double) -> None:
    async with named_pool(double, ["127.0.0.2", "127.0.0.1"]) as pool:
        assert await echo(pool, named(double), "x") == "x"


async def test_a_name_that_nobody_has_is_reported() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    policy = McpPolicy(hosts=("nowhere.invalid",))
    async with McpPool(policy=policy, resolve=resolve) as pool:
        with pytest.raises(McpUnavailable, match=r"'nowhere\.invalid' cannot be resolved"):
            await pool.probe(TEAM, at("https://nowhere.invalid/mcp"))


@pytest.mark.parametrize("method", ["initialize", "tools/call"])
async def test_errors_do_not_repeat_the_bad_http_of_an_mcp_server(
    pool: McpPool, double: Double, method: str
) -> None:
    async def babble(exchange: Exchange) -> None:
        token = exchange.asked.headers["authorization"]
        await exchange.raw(f"HTTP/1.1 200 OK\r\n{token} is no header\r\n\r\n".encode())

    double.acts = dict.fromkeys(("server/discover", method), babble)
    server = at(double.url, headers={"Authorization": "Bearer secret:WORD"})
    with pytest.raises((McpUnavailable, McpConnectionLost), match="illegal header line") as told:
        await echo(pool, server, "x")
    assert "open-sesame" not in str(told.value)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_server_that_refuses_is_reported_with_its_status(
    pool: McpPool, double: Double, status: int
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(status, b"<h1>a long page</h1>", content_type="text/html")

    double.acts = dict.fromkeys(("server/discover", "initialize"), refuse)
    with pytest.raises(McpUnavailable, match=f"it answered {status}"):
        await pool.probe(TEAM, at(double.url))


async def test_a_refusal_that_repeats_the_secret_is_reported_without_it(
    pool: McpPool, double: Double
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.error(-32_600, f"bad {exchange.asked.headers['authorization']}", 400)

    double.acts = dict.fromkeys(("server/discover", "initialize"), refuse)
    server = at(double.url, headers={"Authorization": "Bearer secret:WORD"})
    with pytest.raises(McpUnavailable) as raised:
        await pool.probe(TEAM, server)
    assert raised.value.said == "bad Bearer secret:WORD"


async def test_a_server_that_takes_no_leave_is_left_all_the_same(double: Double) -> None:
    async def say_nothing(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    double.acts["DELETE"] = say_nothing
    pool = McpPool(policy=McpPolicy.for_loopback())
    await echo(pool, at(double.url), "x")
    async with asyncio.timeout(10):
        await pool.close()
    assert len(double.asked_for("DELETE")) == 1


async def test_something_that_is_no_mcp_server_is_reported(pool: McpPool, double: Double) -> None:
    async def greet(exchange: Exchange) -> None:
        await exchange.answer(200, b"<h1>Welcome</h1>", content_type="text/html")

    double.acts = dict.fromkeys(("server/discover", "initialize"), greet)
    with pytest.raises(McpUnavailable, match="no message of the protocol, so its URL"):
        await pool.probe(TEAM, at(double.url))


async def test_a_server_that_is_not_there_is_reported(pool: McpPool) -> None:
    [port] = choose_ports([None])
    with pytest.raises(McpUnavailable, match="Connection refused"):
        await pool.probe(TEAM, at(f"http://127.0.0.1:{port}/mcp"))


async def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    pool: McpPool, double: Double
) -> None:
    async def overflow(exchange: Exchange) -> None:
        size = limits.MAX_MESSAGE_BYTES + 2
        await exchange.answer(200, b" " * size, content_type="application/json")

    double.acts["tools/call"] = overflow
    with pytest.raises(McpAnswerInvalid, match="more than 16777216 bytes"):
        await echo(pool, at(double.url), "x")


async def test_an_answer_of_too_many_values_is_not_read(pool: McpPool, double: Double) -> None:
    async def overflow(exchange: Exchange) -> None:
        result = {"content": [], "structuredContent": {"a": [[]] * limits.MAX_VALUES}}
        await exchange.result(result)

    double.acts["tools/call"] = overflow
    with pytest.raises(McpAnswerInvalid, match=f"more than {limits.MAX_VALUES} values"):
        await echo(pool, at(double.url), "x")


async def test_an_event_that_is_too_long_is_not_read_to_its_end(
    pool: McpPool, double: Double
) -> None:
    async def overflow(exchange: Exchange) -> None:
        await exchange.head(200, content_type="text/event-stream")
        with contextlib.suppress(ConnectionError):
            await exchange.raw(b"data: " + b" " * (limits.MAX_MESSAGE_BYTES + 2))
            await exchange.raw(b"\n\n")
        exchange.cut()

    double.acts["tools/call"] = overflow
    with pytest.raises(McpAnswerInvalid, match="more than 16777216 bytes"):
        await echo(pool, at(double.url), "x")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (b": hello\n\n", "messages a second"),
        (b": hello\r\n\r\n", "messages a second"),
        (b"data: " + b"[]," * limits.MAX_VALUES + b"\n\n", "values"),
    ],
)
async def test_events_out_of_bounds_are_not_read(
    pool: McpPool, double: Double, event: bytes, words: str
) -> None:
    async def flood(exchange: Exchange) -> None:
        await exchange.head(200, content_type="text/event-stream")
        while True:
            await exchange.raw(event * 100)

    double.acts["tools/call"] = flood
    with pytest.raises(McpAnswerInvalid, match=words):
        await echo(pool, at(double.url), "x")


async def test_a_stream_that_ends_at_once_is_not_opened_again_at_once(
    pool: McpPool, double: Double
) -> None:
    opened: asyncio.Queue[float] = asyncio.Queue()

    async def hurry(exchange: Exchange) -> None:
        opened.put_nowait(time.monotonic())
        body = b"retry: 0\nid: 1\ndata:\n\n"
        await exchange.answer(200, body, content_type="text/event-stream")

    double.acts["GET"] = hurry
    await echo(pool, at(double.url), "x")
    async with asyncio.timeout(10):
        first, second = await opened.get(), await opened.get()
    assert second - first > 0.9


async def test_a_compressed_answer_is_refused(pool: McpPool, double: Double) -> None:
    async def compress(exchange: Exchange) -> None:
        headers = {"content_type": "application/json", "content_encoding": "gzip"}
        await exchange.answer(200, b"\x1f\x8b", **headers)

    double.acts["tools/call"] = compress
    with pytest.raises(McpAnswerInvalid, match="compressed"):
        await echo(pool, at(double.url), "x")
    assert double.asked[-1].headers["accept-encoding"] == "identity"


async def test_a_compressed_stream_is_refused(double: Double) -> None:
    async def compress(exchange: Exchange) -> None:
        headers = {"content_type": "text/event-stream", "content_encoding": "gzip"}
        await exchange.answer(200, gzip.compress(b"data: bomb\n\n"), **headers)

    double.acts["GET"] = compress
    guard = Guard(reaching(double.url, ["127.0.0.1"]))
    async with httpx2.AsyncClient(transport=guard) as client:
        answer = await client.get(double.url)
    assert answer.status_code == 502
    assert "bomb" not in answer.text


async def test_an_answer_that_is_not_json_is_reported(pool: McpPool, double: Double) -> None:
    async def babble(exchange: Exchange) -> None:
        await exchange.answer(200, b"{nothing", content_type="application/json")

    double.acts["tools/call"] = babble
    with pytest.raises(McpAnswerInvalid, match="does not follow the protocol"):
        await echo(pool, at(double.url), "x")


async def test_an_error_of_the_server_is_an_answer_whatever_its_status(
    pool: McpPool, double: Double
) -> None:
    async def deny(exchange: Exchange) -> None:
        await exchange.error(-32_602, "text is missing", 400)

    double.acts["tools/call"] = deny
    result = await pool.call(TEAM, at(double.url), "echo", {})
    assert (result.is_error, result.text) == (True, "text is missing")


async def test_no_word_of_a_server_is_logged(
    pool: McpPool,
    double: Double,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def babble(exchange: Exchange) -> None:
        words = json.dumps({"jsonrpc": "2.0", "secret word": 1})
        await exchange.answer(200, words.encode(), content_type="application/json")

    double.acts["tools/call"] = babble
    server = at(double.url, headers={"Authorization": "Bearer secret:WORD"})
    with pytest.raises(McpAnswerInvalid):
        await echo(pool, server, "x")
    captured = capfd.readouterr()
    for word in ("secret word", "open-sesame"):
        # pytest takes what goes through logging, as the SDK's own words do, before it is printed.
        assert word not in captured.out + captured.err + caplog.text


def with_secret(url: str) -> McpServer:
    return at(url, headers={"Authorization": "Bearer secret:WORD"})


async def test_no_half_of_a_secret_is_left_where_a_text_is_cut(
    pool: McpPool, double: Double
) -> None:
    fill = "x" * (limits.MAX_TEXT_CHARACTERS - len("open-s"))
    text = await echo(pool, with_secret(double.url), f"{fill}open-sesame and more")
    assert "open-s" not in text
    assert len(text) < limits.MAX_TEXT_CHARACTERS + 100


async def test_no_half_of_a_secret_is_left_where_a_description_is_cut(
    pool: McpPool, double: Double
) -> None:
    fill = "x" * (limits.MAX_DESCRIPTION_CHARACTERS - len("open-s..."))
    tool = {"name": "echo", "inputSchema": {"type": "object"}}

    async def offer(exchange: Exchange) -> None:
        await exchange.result({"tools": [tool | {"description": f"{fill}open-sesame."}]})

    double.acts["tools/list"] = offer
    [offered] = (await pool.probe(TEAM, with_secret(double.url))).tools
    assert "open-s" not in offered.description
    assert len(offered.description) <= limits.MAX_DESCRIPTION_CHARACTERS


async def test_a_secret_in_the_keys_of_an_unreadable_answer_is_named_instead(
    pool: McpPool, double: Double
) -> None:
    async def greet(exchange: Exchange) -> None:
        capabilities = {"tools": {}, "experimental": {"open-sesame": "no object"}}
        server = {"name": "double", "version": "1"}
        await exchange.result(
            {
                "protocolVersion": "2025-11-25",
                "capabilities": capabilities,
                "serverInfo": server,
            }
        )

    double.acts["initialize"] = greet
    with pytest.raises(McpUnavailable) as raised:
        await pool.probe(TEAM, with_secret(double.url))
    assert "secret:WORD" in str(raised.value)
    assert "open-sesame" not in str(raised.value)


@pytest.mark.parametrize(
    "other", ["https://a.example/mcp", "http://a.example:81/", "http://b.example"]
)
async def test_no_request_leaves_the_origin_of_its_server(other: str) -> None:
    transport = reaching("http://a.example/mcp", ["127.0.0.1"])
    with pytest.raises(httpx2.ConnectError, match="another"):
        await transport.handle_async_request(httpx2.Request("POST", other))
    await transport.aclose()
