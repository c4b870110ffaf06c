"""Servers that speak the transport of before 2025 only."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from tests.doubles.mcp_http import Exchange, doubled
from tests.doubles.mcp_sse import SseDouble, sse_doubled
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpAnswerInvalid, McpConnectionLost, McpUnavailable

TEAM = uuid4()


def at(url: str) -> McpServer:
    return McpServer(name="old", transport="http", url=url)


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    async with McpPool(policy=McpPolicy.for_loopback()) as pool:
        yield pool


async def test_a_server_of_http_and_sse_is_spoken_to(pool: McpPool) -> None:
    async with sse_doubled() as double:
        assert [tool.name for tool in (await pool.probe(TEAM, at(double.url))).tools] == ["good"]
        assert (await pool.call(TEAM, at(double.url), "good", {})).text == "ok"


async def test_a_wrong_path_is_told_apart_from_an_old_server(pool: McpPool) -> None:
    async with sse_doubled() as double:
        elsewhere = double.url.replace("/sse", "/elsewhere")
        with pytest.raises(McpUnavailable, match=r"405 Method Not Allowed, so its URL may have"):
            await pool.probe(TEAM, at(elsewhere))


async def test_a_stream_that_names_no_address_makes_no_old_server(pool: McpPool) -> None:
    async def stream(exchange: Exchange) -> None:
        await exchange.answer(200, b"data: hello\n\n", content_type="text/event-stream")

    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(404)

    async with doubled() as double:
        double.acts = {"GET": stream, "server/discover": refuse, "initialize": refuse}
        with pytest.raises(McpUnavailable, match="it answered 404 Not Found"):
            await pool.probe(TEAM, at(double.url))


async def test_a_refused_request_to_an_old_server_fails_its_call_at_once(pool: McpPool) -> None:
    async with sse_doubled(SseDouble(refused={"tools/call": 500})) as double:
        async with asyncio.timeout(30):
            with pytest.raises(McpUnavailable, match="it answered 500 Internal Server Error"):
                await pool.call(TEAM, at(double.url), "good", {}, timeout_seconds=3_600)
        assert len((await pool.probe(TEAM, at(double.url))).tools) == 1


async def test_an_unreadable_answer_of_an_old_server_fails_its_call_at_once(pool: McpPool) -> None:
    async with sse_doubled(SseDouble(oddity="broken-json")) as double, asyncio.timeout(30):
        with pytest.raises(McpAnswerInvalid):
            await pool.call(TEAM, at(double.url), "good", {}, timeout_seconds=3_600)


async def test_a_stream_of_an_old_server_that_breaks_costs_that_call_alone(pool: McpPool) -> None:
    async with sse_doubled(SseDouble(refused={"tools/call": 202})) as double:
        assert (await pool.call(TEAM, at(double.url), "good", {})).text == "ok"
        double.oddity = "cut"
        double.refused["tools/call"] = 204  # taken, and never answered
        waiting = asyncio.create_task(pool.call(TEAM, at(double.url), "good", {}))
        while double.asked[-1].method != "tools/call" or len(double.asked) < 6:
            await asyncio.sleep(0.01)
        double.cut()
        with pytest.raises(McpConnectionLost, match="its stream of events ended"):
            await waiting
        double.refused.clear()
        assert (await pool.call(TEAM, at(double.url), "good", {})).text == "ok"
