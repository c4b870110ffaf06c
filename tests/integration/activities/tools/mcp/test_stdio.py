"""The pool with programs: a double that misbehaves on demand."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog.testing
from pydantic import JsonValue

from activities.tools.mcp import limits
from activities.tools.mcp.listing import Listing
from activities.tools.mcp.options import PoolOptions
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from tests.doubles.given_secrets import given_to_all
from tests.folders import DOUBLES
from tests.security.processes import alive, mark, until
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import (
    McpAnswerInvalid,
    McpBusy,
    McpConnectionLost,
    McpError,
    McpListingRefused,
    McpNotAllowed,
    McpSecretMissing,
    McpTimedOut,
    McpUnavailable,
)

DOUBLE = DOUBLES / "mcp_stdio.py"
TEAM = uuid4()

Listings = asyncio.Queue[tuple[str, Listing]]


def server(*flags: str, name: str = "double", **more: Any) -> McpServer:
    args = ["-I", str(DOUBLE), *flags]
    given = {"name": name, "transport": "stdio", "command": sys.executable, "args": args, **more}
    return McpServer.model_validate(given)


def _nested(levels: int) -> Any:
    return [_nested(levels - 1)] if levels else []


def make_pool(listings: Listings | None = None, **options: Any) -> McpPool:
    async def on_listing(team_id: object, told: McpServer, listing: Listing) -> None:
        if listings is not None:
            listings.put_nowait((told.name, listing))

    return McpPool(
        policy=McpPolicy.for_loopback(),
        secrets=given_to_all(WORD="open-sesame"),
        environment={"PATH": os.environ["PATH"], "HOME": "/root", "AWS_PROFILE": "worker"},
        on_listing=on_listing,
        options=PoolOptions(**options),
    )


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    async with make_pool() as pool:
        yield pool


async def call(pool: McpPool, told: McpServer, tool: str, **arguments: Any) -> str:
    result = await pool.call(TEAM, told, tool, arguments)
    assert not result.is_error, result.text
    return result.text


async def test_a_call_of_a_program_is_answered(pool: McpPool) -> None:
    assert await call(pool, server(), "echo", text="héllo\nworld") == "héllo\nworld"


async def test_calls_share_one_program_and_run_beside_each_other(
    pool: McpPool, tmp_path: Path
) -> None:
    word = mark()
    told = server("--mark", word)
    slow = asyncio.create_task(pool.call(TEAM, told, "wait", _files(tmp_path) | {"seconds": 60}))
    assert await asyncio.gather(*(call(pool, told, "echo", text=str(n)) for n in range(20))) == [
        str(n) for n in range(20)
    ]
    assert not slow.done()
    assert len(alive(word)) == 2  # the program and its keeper
    slow.cancel()


async def test_teams_share_nothing(pool: McpPool) -> None:
    word = mark()
    for team_id in (uuid4(), uuid4()):
        await pool.call(team_id, server("--mark", word), "echo", {"text": ""})
    assert len(alive(word)) == 4


async def test_an_error_of_the_server_is_an_answer(pool: McpPool) -> None:
    result = await pool.call(TEAM, server(), "unknown", {})
    # Its code is the one that the SDK uses for lost connections.
    assert (result.is_error, result.text) == (True, "there is no such tool")


async def test_a_program_gets_the_least_environment_with_its_secrets(pool: McpPool) -> None:
    told = server(env={"PLACE": "here", "TOKEN": "secret:WORD"})
    found = json.loads(await call(pool, told, "where"))
    found["env"].pop("LC_CTYPE", None)  # Python sets it itself.
    assert {name: value[::-1] for name, value in found["env"].items()} == {
        "PATH": os.environ["PATH"],
        "HOME": "/root",
        "PLACE": "here",
        "TOKEN": "open-sesame",
    }
    assert found["cwd"] == "/"


async def test_a_secret_that_a_server_tells_is_named_instead(pool: McpPool) -> None:
    told = server(env={"TOKEN": "secret:WORD"})
    assert await call(pool, told, "echo", text="it is open-sesame") == "it is secret:WORD"
    assert await call(pool, server(), "echo", text="open-sesame") == "open-sesame"


async def test_a_secret_that_is_not_set_is_reported(pool: McpPool) -> None:
    with pytest.raises(McpSecretMissing, match="AGENTOS_SECRET_OTHER"):
        await pool.call(TEAM, server(env={"TOKEN": "secret:OTHER"}), "echo", {})


async def test_an_mcp_server_that_the_policy_forbids_is_not_started() -> None:
    async with McpPool() as pool:
        with pytest.raises(McpNotAllowed):
            await pool.call(TEAM, server(), "echo", {})
        with pytest.raises(McpNotAllowed):
            await pool.probe(TEAM, server())


async def test_a_crash_in_mid_call_is_told_and_the_next_call_connects_anew(pool: McpPool) -> None:
    with pytest.raises(McpConnectionLost, match=r"exit code 3\. The call may have taken effect"):
        await pool.call(TEAM, server(), "die", {})
    assert await call(pool, server(), "echo", text="again") == "again"


async def test_a_crash_ends_the_other_calls_too(pool: McpPool, tmp_path: Path) -> None:
    waiting = asyncio.create_task(
        pool.call(TEAM, server(), "wait", _files(tmp_path) | {"seconds": 60})
    )
    await until((tmp_path / "begun").exists)
    with pytest.raises(McpConnectionLost):
        await pool.call(TEAM, server(), "die", {})
    with pytest.raises(McpConnectionLost):
        await waiting


async def test_a_call_of_a_program_that_takes_too_long_is_cancelled(
    pool: McpPool, tmp_path: Path
) -> None:
    arguments = _files(tmp_path) | {"seconds": 60}
    with pytest.raises(McpTimedOut, match=r"0\.2 s") as stopped:
        await pool.call(TEAM, server(), "wait", arguments, timeout_seconds=0.2)
    assert "register the server again with a longer `--timeout`" in stopped.value.account
    await until((tmp_path / "cancelled").exists)


async def test_signs_of_progress_keep_a_call_of_a_program_alive(pool: McpPool) -> None:
    arguments = {"times": 25, "pause": 0.1}
    result = await pool.call(TEAM, server(), "progress", arguments, timeout_seconds=2)
    assert result.text == "done"


async def test_a_cancellation_passes_through_and_reaches_the_program(
    pool: McpPool, tmp_path: Path
) -> None:
    running = asyncio.create_task(
        pool.call(TEAM, server(), "wait", _files(tmp_path) | {"seconds": 60})
    )
    await until((tmp_path / "begun").exists)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until((tmp_path / "cancelled").exists)
    assert await call(pool, server(), "echo", text="still there") == "still there"


async def test_a_program_that_cannot_be_started_is_reported(pool: McpPool) -> None:
    nowhere = McpServer(name="a", transport="stdio", command="no-such-program")
    with pytest.raises(McpUnavailable, match="no program 'no-such-program'"):
        await pool.call(TEAM, nowhere, "echo", {})
    with pytest.raises(McpUnavailable, match="No such file or directory: /no/such"):
        await pool.call(TEAM, server(cwd="/no/such"), "echo", {})


async def test_a_program_that_ends_at_once_is_reported(pool: McpPool, tmp_path: Path) -> None:
    with pytest.raises(McpUnavailable, match="exit code 9"):
        await pool.call(TEAM, server("--once", str(tmp_path)), "echo", {})


async def test_lines_of_an_mcp_server_that_are_no_messages_are_skipped(pool: McpPool) -> None:
    assert await call(pool, server("--babble"), "echo", text="hello") == "hello"


async def test_parts_of_every_kind_arrive(pool: McpPool) -> None:
    image: JsonValue = {"type": "image", "data": "ZG90cw==", "mimeType": "image/png"}
    result = await pool.call(TEAM, server(), "parts", {"content": [image], "isError": True})
    assert result.is_error
    assert [(file.name, file.data) for file in result.files] == [("image.png", b"dots")]


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "words"},
        {"content": [{"type": "text"}]},
        {"resultType": "input_required", "inputRequests": {}},
    ],
)
async def test_an_answer_that_is_none_is_reported_without_its_words(
    pool: McpPool, answer: dict[str, Any]
) -> None:
    with pytest.raises(McpAnswerInvalid, match="does not follow the protocol") as told:
        await pool.call(TEAM, server(), "parts", answer)
    assert "words" not in str(told.value)


async def test_a_message_that_is_too_long_ends_the_connection(pool: McpPool) -> None:
    with pytest.raises(McpConnectionLost, match=f"more than {limits.MAX_MESSAGE_BYTES} bytes"):
        await pool.call(TEAM, server(), "huge", {"size": limits.MAX_MESSAGE_BYTES + 1})
    assert await call(pool, server(), "echo", text="again") == "again"


async def test_a_message_of_too_many_values_is_not_read(pool: McpPool) -> None:
    answer: dict[str, Any] = {"content": [], "structuredContent": {"a": [[]] * limits.MAX_VALUES}}
    with pytest.raises(McpConnectionLost, match=f"more than {limits.MAX_VALUES} values"):
        await pool.call(TEAM, server(), "parts", answer)
    text = "[1,2]" * limits.MAX_VALUES
    assert await call(pool, server(), "echo", text=text) == text


@pytest.mark.parametrize(
    "words",
    [
        "\n",
        "hello\n",
        '{"jsonrpc": "2.0", "id": 7000, "result": {}}\n',
    ],
)
async def test_a_flood_is_not_drunk(words: str, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with make_pool() as pool:
            with pytest.raises(McpConnectionLost, match="messages a second"):
                await pool.call(TEAM, server(), "say", {"words": words * 1_000, "times": 10**9})
    assert "mcp.server_stuck" not in [entry["event"] for entry in logs]


@pytest.mark.parametrize("number", ["7000", '"1"', '"x"', "null"])
async def test_an_answer_to_what_nobody_asked_is_passed_over(pool: McpPool, number: str) -> None:
    words = f'{{"jsonrpc": "2.0", "id": {number}, "result": {{"content": []}}}}\n'
    assert await call(pool, server(), "say", words=words, times=2) == "said"


async def test_much_on_stderr_stops_nobody_and_is_not_logged(
    pool: McpPool, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(McpConnectionLost):
        await pool.call(TEAM, server(), "die", {"lines": 20_000})
    await pool.close()
    captured = capfd.readouterr()
    assert "secret word" not in captured.out + captured.err


async def test_the_tools_are_told_at_first_and_when_they_change() -> None:
    listings: Listings = asyncio.Queue()
    async with make_pool(listings) as pool:
        await call(pool, server(), "grow", name="new")
        _, first = await asyncio.wait_for(listings.get(), 10)
        assert "new" not in [tool.name for tool in first.tools]
        _, second = await asyncio.wait_for(listings.get(), 10)
        assert "new" in [tool.name for tool in second.tools]


async def test_a_probe_lists_and_leaves_nothing_running(pool: McpPool) -> None:
    word = mark()
    listing = await pool.probe(TEAM, server("--mark", word))
    assert "echo" in [tool.name for tool in listing.tools]
    assert alive(word) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "a b"}, "letters, digits"),
        ({"name": "x" * 129}, "letters, digits"),
        ({"inputSchema": {"type": "object", "x": "y" * 70_000}}, "65536 bytes"),
        ({"inputSchema": {"type": "object", "x": "\x00"}}, "NUL"),
        ({"inputSchema": {"type": "object", "x": _nested(120)}}, "deeper than 100 levels"),
        ({"name": "good"}, "two of this name"),
    ],
)
async def test_a_tool_that_cannot_be_taken_is_left_out_and_told(
    pool: McpPool, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    good = {"name": "good", "description": "d", "inputSchema": {"type": "object"}}
    tools = _write(tmp_path, [good, good | change])
    listing = await pool.probe(TEAM, server("--tools", str(tools)))
    assert [tool.name for tool in listing.tools] == ["good"]
    [refused] = listing.refused
    assert reason in refused


async def test_a_secret_that_a_listing_tells_is_named_instead(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"open-sesame": {"default": ["open-sesame", 1]}}}
    told = {"name": "a", "description": "Say open-sesame.", "inputSchema": schema}
    flags = ("--tools", str(_write(tmp_path, [told, told | {"name": "open-sesame!"}])))
    listings: Listings = asyncio.Queue()
    async with make_pool(listings) as pool:
        known = server(*flags, env={"TOKEN": "secret:WORD"})
        await call(pool, known, "echo", text="")
        _, stored = await asyncio.wait_for(listings.get(), 10)
        for listing in (stored, await pool.probe(TEAM, known)):
            [tool] = listing.tools
            assert tool.description == "Say secret:WORD."
            assert tool.schema["properties"] == {"secret:WORD": {"default": ["secret:WORD", 1]}}
            assert "open-sesame" not in listing.refused[0]


async def test_hints_and_long_descriptions_are_read(pool: McpPool, tmp_path: Path) -> None:
    schema = {"type": "object"}
    tools = [
        {"name": "a", "inputSchema": schema, "annotations": {"readOnlyHint": True}},
        {"name": "b", "inputSchema": schema, "description": "x" * 10_000 + "\x00"},
    ]
    listing = await pool.probe(TEAM, server("--tools", str(_write(tmp_path, tools))))
    first, second = listing.tools
    assert (first.is_retry_safe, second.is_retry_safe) == (True, False)
    assert len(second.description) == limits.MAX_DESCRIPTION_CHARACTERS


async def test_too_many_tools_and_lists_without_end_are_refused(
    pool: McpPool, tmp_path: Path
) -> None:
    many = [{"name": f"t{n}", "inputSchema": {"type": "object"}} for n in range(257)]
    with pytest.raises(McpListingRefused, match="more than 256"):
        await pool.probe(TEAM, server("--tools", str(_write(tmp_path, many))))
    none = str(_write(tmp_path, []))
    with pytest.raises(McpListingRefused, match="64 pages"):
        await pool.probe(TEAM, server("--endless", "--tools", none))


async def test_an_idle_program_is_closed_and_the_next_call_starts_it_again() -> None:
    word = mark()
    told = server("--mark", word)
    async with make_pool(idle_seconds=0.3) as pool:
        await call(pool, told, "echo", text="one")
        await until(lambda: not alive(word))
        assert await call(pool, told, "echo", text="two") == "two"


async def test_an_idle_server_makes_room_and_a_busy_one_does_not(tmp_path: Path) -> None:
    word = mark()
    async with make_pool(max_servers=1) as pool:
        await call(pool, server("--mark", word, name="first"), "echo", text="")
        second = server("--mark", word, name="second")
        running = asyncio.create_task(
            pool.call(TEAM, second, "wait", _files(tmp_path) | {"seconds": 60})
        )
        await until((tmp_path / "begun").exists)
        await until(lambda: len(alive(word)) == 2)
        with pytest.raises(McpBusy, match="1 servers"):
            await pool.call(TEAM, server(name="third"), "echo", {})
        running.cancel()


async def test_a_changed_configuration_replaces_the_program(pool: McpPool) -> None:
    old, new = mark(), mark()
    await call(pool, server("--mark", old), "echo", text="")
    await call(pool, server("--mark", new), "echo", text="")
    await until(lambda: not alive(old))
    assert len(alive(new)) == 2


async def test_a_closed_pool_has_ended_everything(tmp_path: Path) -> None:
    word = mark()
    pool = make_pool()
    told = server("--mark", word, "--stubborn")
    child = int(await call(pool, told, "fork", seconds="1000"))
    waiting = asyncio.create_task(pool.call(TEAM, told, "wait", _files(tmp_path) | {"seconds": 60}))
    await until((tmp_path / "begun").exists)
    await pool.close()
    assert alive(word) == []
    assert not Path(f"/proc/{child}").exists()
    with pytest.raises(McpError):
        await waiting
    with pytest.raises(McpUnavailable, match="being stopped"):
        await pool.call(TEAM, told, "echo", {})


def _files(folder: Path) -> dict[str, Any]:
    return {name: str(folder / name) for name in ("begun", "cancelled")}


def _write(folder: Path, tools: list[dict[str, Any]]) -> Path:
    path = folder / "tools.json"
    path.write_text(json.dumps(tools))
    return path
