"""Servers that ask a person something in the middle of a call."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.questions import Question, Reply, fault_of
from tests.folders import DOUBLES
from workflows.definitions.mcp_server import McpServer
from workflows.errors import McpAsks

TEAM = uuid4()


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    environment = {"PATH": os.environ["PATH"]}
    async with McpPool(policy=McpPolicy.for_loopback(), environment=environment) as pool:
        yield pool


def asking(effects: Path) -> McpServer:
    args = ("-I", str(DOUBLES / "mcp_asking.py"), str(effects))
    return McpServer(name="asking", transport="stdio", command=sys.executable, args=args)


async def question(pool: McpPool, server: McpServer, tool: str, **arguments: Any) -> Question:
    """What the server asks during a call. A key ``replies`` answers what it asked before."""
    replies = arguments.pop("replies", {})
    with pytest.raises(McpAsks) as raised:
        await pool.call(TEAM, server, tool, arguments, replies=replies)
    asked = raised.value.fields["question"]
    assert isinstance(asked, Question)
    return asked


async def test_a_question_ends_its_call_without_effect_and_the_reply_is_given_to_the_next(
    pool: McpPool, tmp_path: Path
) -> None:
    server, effects = asking(tmp_path / "effects"), tmp_path / "effects"
    asked = await question(pool, server, "delete", file="a.txt")
    assert asked.shown == ("Delete a.txt?\nAnswer with:\n- sure (boolean): delete it for good")
    assert not effects.exists()
    replies = {asked.key: Reply("accept", asked.content("yes"))}
    result = await pool.call(TEAM, server, "delete", {"file": "a.txt"}, replies=replies)
    assert result.text == "done"
    assert effects.read_text() == 'delete {"sure": true}\n'


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_server_is_told_that_a_person_does_not_want_to(
    pool: McpPool, tmp_path: Path, action: Any
) -> None:
    server = asking(tmp_path / "effects")
    asked = await question(pool, server, "delete", file="a.txt")
    replies = {asked.key: Reply(action)}
    result = await pool.call(TEAM, server, "delete", {"file": "a.txt"}, replies=replies)
    assert result.text == f"nothing was done: {action}"


async def test_a_second_question_is_asked_after_the_first_is_answered(
    pool: McpPool, tmp_path: Path
) -> None:
    server = asking(tmp_path / "effects")
    first = await question(pool, server, "book")
    replies = {first.key: Reply("accept", {"name": "Ann"})}
    second = await question(pool, server, "book", replies=replies)
    assert (first.text, second.text) == ("Who?", "How many?")
    replies[second.key] = Reply("accept", second.content("3"))
    assert (await pool.call(TEAM, server, "book", {}, replies=replies)).text == "done"
    assert (tmp_path / "effects").read_text() == 'book {"name": "Ann", "seats": 3}\n'


async def test_a_reply_to_one_question_is_not_taken_for_one_to_another(
    pool: McpPool, tmp_path: Path
) -> None:
    server = asking(tmp_path / "effects")
    asked = await question(pool, server, "delete", file="a.txt")
    replies = {asked.key: Reply("accept", {"sure": True})}
    other = await question(pool, server, "delete", file="b.txt", replies=replies)
    assert other.text == "Delete b.txt?"
    assert not (tmp_path / "effects").exists()


async def test_a_question_is_not_put_to_another_call_that_runs_at_the_same_time(
    pool: McpPool, tmp_path: Path
) -> None:
    server, until = asking(tmp_path / "effects"), tmp_path / "until"
    idle = asyncio.create_task(pool.call(TEAM, server, "idle", {"until": str(until)}))
    asks = asyncio.create_task(question(pool, server, "delete", file="a.txt"))
    done, _ = await asyncio.wait((idle, asks), timeout=0.5)
    assert not done  # The question waits until it is clear whose it is.
    until.touch()
    assert (await idle).text == "idled"
    assert (await asks).text == "Delete a.txt?"


async def test_calls_that_ask_at_once_are_all_asked_about(pool: McpPool, tmp_path: Path) -> None:
    server = asking(tmp_path / "effects")
    files = {f"{number}.txt" for number in range(3)}
    asked = await asyncio.gather(*(question(pool, server, "delete", file=file) for file in files))
    assert {item.text for item in asked} == {f"Delete {file}?" for file in files}
    assert not (tmp_path / "effects").exists()


FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "string", "enum": ["s", "m"]},
        "count": {"type": "integer"},
        "price": {"type": "number"},
        "gift": {"type": "boolean"},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
    "required": ["name", "count"],
}


def test_an_answer_is_read_as_lines_or_as_json() -> None:
    asked = Question("?", FORM)
    wanted = {"name": "Ann=a", "count": 2, "gift": False, "price": 1.5, "tags": ["a", "b"]}
    lines = "name = Ann=a\n\ncount=2\ngift=no\nprice=1.5\ntags=a, b"
    assert asked.content(lines) == wanted
    assert (
        asked.content(
            '{"name": "Ann=a", "count": 2, "gift": false, "price": 1.5, "tags": ["a", "b"]}'
        )
        == wanted
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Ann", "a line NAME=VALUE"),
        ("name=Ann", "'count' is missing"),
        ("name=Ann\ncount=two", "'count' is a whole number"),
        ("name=Ann\ncount=2\nprice=inf", "'price' is a number"),
        ("name=Ann\ncount=2\nsize=xl", "'size' has no 'xl'; there is s, m"),
        ("name=Ann\ncount=2\ngift=perhaps", "'gift' is yes or no"),
        ("name=Ann\ncount=2\ntags=c", "'tags' has no 'c'"),
        ("name=Ann\ncount=2\ncolour=red", "there is no field 'colour'"),
    ],
)
def test_an_answer_that_does_not_fit_says_why(answer: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Question("?", FORM).content(answer)


def test_an_answer_to_a_question_with_one_field_is_that_field() -> None:
    form = {"type": "object", "properties": {"note": {"type": "string"}}}
    assert Question("?", form).content("a=b") == {"note": "a=b"}


def test_an_agreement_has_no_content() -> None:
    assert Question("Open https://a.example", None).content("done") is None
    assert Question("Go on?", {"type": "object", "properties": {}}).content("yes") == {}


def test_a_question_that_nobody_would_read_is_put_to_nobody() -> None:
    assert "4000 characters" in str(fault_of(Question("x" * 5_000)))
    form = {"properties": {str(number): {} for number in range(100)}}
    assert "50 fields" in str(fault_of(Question("x", form)))
