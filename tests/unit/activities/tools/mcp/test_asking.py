"""Servers that ask a person something in the middle of a call."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.tools.mcp.errors import McpQuestionUnclear
from activities.tools.mcp.options import Patience, PoolOptions
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.questions import MAX_QUESTIONS, Question, Reply, fault_of
from tests.folders import DOUBLES
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpAnswerInvalid, McpAsks

TEAM = uuid4()


@pytest.fixture
async def pool() -> AsyncIterator[McpPool]:
    async with pool_with(Patience(quiet_seconds=0.1, ending_seconds=600)) as pool:
        yield pool


@pytest.fixture
async def hasty_pool() -> AsyncIterator[McpPool]:
    """It waits for no call to end whose question was cancelled."""
    async with pool_with(Patience(quiet_seconds=0.1, ending_seconds=0.1)) as pool:
        yield pool


def pool_with(patience: Patience) -> McpPool:
    return McpPool(
        policy=McpPolicy.for_loopback(),
        environment={"PATH": os.environ["PATH"]},
        options=PoolOptions(patience=patience),
    )


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


async def test_the_error_of_a_question_says_how_many_a_call_may_ask(
    pool: McpPool, tmp_path: Path
) -> None:
    with pytest.raises(McpAsks, match=f"a call of an agent {MAX_QUESTIONS} questions at most"):
        await pool.call(TEAM, asking(tmp_path / "effects"), "book", {})


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


# Longer than a hasty pool waits for calls that end by themselves, and then upon a cancellation.
_LAPSED_SECONDS = 2.0


async def logged(pool: McpPool, server: McpServer, until: Path, *, is_safe: bool = False) -> str:
    """What comes of a call that takes effect once the file is there."""
    try:
        given = {"until": str(until)}
        result = await pool.call(TEAM, server, "log", given, is_retry_safe=is_safe)
    except McpQuestionUnclear as error:
        return str(error)
    return result.text


async def test_a_call_that_ends_beside_one_that_asks_twice_at_once_is_made_once(
    hasty_pool: McpPool, tmp_path: Path
) -> None:
    server, effects, until = asking(tmp_path / "effects"), tmp_path / "effects", tmp_path / "until"
    log = asyncio.create_task(logged(hasty_pool, server, until))
    twice = asyncio.create_task(question(hasty_pool, server, "twice"))
    done, _ = await asyncio.wait((log, twice), timeout=_LAPSED_SECONDS)
    assert not done
    until.touch()
    told = await log
    assert "may have taken effect, so it was not made again" in told
    assert told.endswith("Its answer: logged")
    assert (await twice).text in ("First?", "Second?")
    assert effects.read_text() == "log\n"
    # From now on such calls are made one by one, so that it is clear whose a question is.
    others = (logged(hasty_pool, server, until), question(hasty_pool, server, "twice"))
    again, asked = await asyncio.gather(*others)
    assert again == "logged"
    assert asked.text in ("First?", "Second?")
    assert effects.read_text() == "log\nlog\n"


async def test_a_call_that_is_safe_is_made_again_where_a_question_may_have_been_its_own(
    hasty_pool: McpPool, tmp_path: Path
) -> None:
    server, until = asking(tmp_path / "effects"), tmp_path / "until"
    log = asyncio.create_task(logged(hasty_pool, server, until, is_safe=True))
    twice = asyncio.create_task(question(hasty_pool, server, "twice"))
    await asyncio.wait((log, twice), timeout=_LAPSED_SECONDS)
    until.touch()
    assert await log == "logged"
    assert (await twice).text in ("First?", "Second?")


PAGE = "https://sign.example/in?state=1"


@pytest.mark.parametrize(("action", "text"), [("accept", "done"), ("decline", "nothing was done")])
async def test_a_person_is_shown_a_page_to_open_with_its_host_and_their_word_is_given_on(
    pool: McpPool, tmp_path: Path, action: Any, text: str
) -> None:
    server = asking(tmp_path / "effects")
    asked = await question(pool, server, "sign_in", url=PAGE)
    assert asked.shown.splitlines() == [
        "Open a page at sign.example:",
        PAGE,
        "Approve when you have done there what you want to, or deny. The server says:",
        "Sign in first.",
    ]
    replies = {asked.key: Reply(action)}
    result = await pool.call(TEAM, server, "sign_in", {"url": PAGE}, replies=replies)
    assert result.text.startswith(text)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://sign.example/", "not one of https"),
        ("javascript:alert(1)", "cannot be read"),
        ("file:///etc/passwd", "cannot be read"),
        ("ftp://sign.example/", "not one of https"),
        ("https://bank.example@evil.example/", "a name before the host"),
        ("https://evil.example\\@bank.example/", "cannot be read"),
        ("https://b\u0430nk.example/", "cannot be read"),
        ("https://bank.example/\nand open https://evil.example", "cannot be read"),
        ("https://bank.example:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https:///path", "cannot be read"),
        ("", "cannot be read"),
        ("https://a.example/" + "x" * 2_000, "more than 2000 characters"),
    ],
)
async def test_nobody_is_shown_a_page_that_could_mislead_them(
    pool: McpPool, tmp_path: Path, url: str, reason: str
) -> None:
    server, effects = asking(tmp_path / "effects"), tmp_path / "effects"
    for tool in ("sign_in", "locked"):
        with pytest.raises(McpAnswerInvalid, match=reason):
            await pool.call(TEAM, server, tool, {"url": url, "until": str(tmp_path / "no")})
    assert not effects.exists()


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/in", "http://127.0.0.1/", "http://[::1]:1/"]
)
def test_a_page_of_this_machine_needs_no_certificate(url: str) -> None:
    assert fault_of(Question("Open it.", url=url)) is None


def test_the_host_of_a_page_that_stands_for_other_letters_is_said_to() -> None:
    shown = Question("Open it.", url="https://xn--bnk-5cd.example/").shown
    assert "it stands for other letters" in shown


async def test_a_call_that_is_refused_until_a_page_was_opened_is_made_again(
    pool: McpPool, tmp_path: Path
) -> None:
    server, until = asking(tmp_path / "effects"), tmp_path / "opened"
    given = {"url": PAGE, "until": str(until)}
    asked = await question(pool, server, "locked", **given)
    assert (asked.text, asked.url) == ("Unlock it first.", PAGE)
    replies = {asked.key: Reply("accept")}
    early = await pool.call(TEAM, server, "locked", given, replies=replies)
    assert early.is_error
    assert "said that they had" in early.text
    until.touch()
    assert (await pool.call(TEAM, server, "locked", given, replies=replies)).text == "unlocked"


async def test_a_model_reads_that_a_person_did_not_want_to_open_a_page(
    pool: McpPool, tmp_path: Path
) -> None:
    server = asking(tmp_path / "effects")
    given = {"url": PAGE, "until": str(tmp_path / "opened")}
    asked = await question(pool, server, "locked", **given)
    replies = {asked.key: Reply("decline")}
    result = await pool.call(TEAM, server, "locked", given, replies=replies)
    assert result.is_error
    assert "did not want to" in result.text


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


BOUNDS = {
    "properties": {
        "code": {"type": "string", "minLength": 2, "maxLength": 3},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "mail": {"type": "string", "format": "email"},
        "page": {"type": "string", "format": "uri"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "maxItems": 1, "items": {"enum": ["a", "b"]}},
    }
}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("code=a", "'code' has at least 2 characters"),
        ("code=abcd", "'code' has at most 3 characters"),
        ("age=17", "'age' is at least 18"),
        ("age=100", "'age' is at most 99"),
        ("age=1_8", "'age' is a whole number"),
        ("mail=ann", "'mail' is an address such as ann@a.example"),
        ("page=a.example", "'page' is an address such as https"),
        ("day=tomorrow", "'day' is a date"),
        ("at=2026-11-29", "'at' is a date and time"),
        ("tags=a,b", "'tags' has at most 1 values"),
    ],
)
def test_an_answer_outside_of_the_bounds_of_a_field_says_why(answer: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Question("?", BOUNDS).content(answer)


def test_an_answer_within_the_bounds_is_taken() -> None:
    lines = "code=abc\nage=18\nmail=a@b.example\npage=https://a.example\nday=2026-11-29"
    content = Question("?", BOUNDS).content(f"{lines}\nat=2026-11-29T12:00:00Z\ntags=b")
    assert content is not None
    assert (content["age"], content["tags"]) == (18, ["b"])


def test_fields_that_are_left_out_have_their_defaults() -> None:
    form = {
        "properties": {
            "name": {"type": "string"},
            "size": {"enum": ["s", "m"], "default": "m"},
            "days": {"type": "array", "items": {"enum": ["mo", "tu"]}, "default": ["mo", "tu"]},
            "sure": {"type": "boolean", "default": False},
            "odd": {"type": "integer", "default": "many"},
        },
        "required": ["name", "size"],
    }
    wanted = {"name": "Ann", "size": "m", "days": ["mo", "tu"], "sure": False}
    assert Question("?", form).content("Ann") == wanted
    assert Question("?", form).content("name=Ann\nsize=s") == wanted | {"size": "s"}
    shown = Question("?", form).shown
    assert "- days (any of mo, tu, default mo, tu)" in shown
    assert "- odd (integer, optional)" in shown


def test_a_choice_may_be_named_by_its_title() -> None:
    form = {"properties": {"size": {"oneOf": [{"const": "m", "title": "Medium"}, {"const": "s"}]}}}
    assert Question("?", form).shown == ("?\nAnswer with:\n- size (one of m = Medium, s, optional)")
    for answer in ("m", "Medium", "medium", "size=M"):
        assert Question("?", form).content(answer) == {"size": "m"}


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
