"""A conversation with an agent in a terminal of 80 columns, and through pipes, as people have it.

The API and the command are true; the agent does what a test says.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from deploy.local.services import Services
from tests.integration.agent_stage import MODELS
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.integration.cli_runs import Typing, agentos, start, typing
from tests.integration.residents import RowAgent, row_agent
from workflows.events import ApprovalAsked, ToolCalled, ToolResult

NEVER = 3_600.0  # seconds


@pytest.fixture(scope="module")
async def chat_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    resting = {"sweep_interval_seconds": NEVER, "call_interval_seconds": NEVER}
    async with api_stage(
        infrastructure, skills_folder, works=False, models=MODELS, **resting
    ) as stage:
        yield stage


@pytest.fixture
async def agent(chat_stage: Stage) -> RowAgent:
    return await row_agent(chat_stage.database)


async def asked(agent: RowAgent, count: int = 1) -> UUID:
    """The exchange that takes what the person has said, once it has said so much."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await unread(agent) < count:
            await asyncio.sleep(0.02)
    return await agent.begin()


async def unread(agent: RowAgent) -> int:
    rows = await agent.rows(
        "SELECT count(*) AS n FROM inbox WHERE agent_id = :id AND read_at IS NULL"
    )
    return int(rows[0].n)


async def opened(run: Typing, agent: RowAgent) -> None:
    await run.until(lambda seen: agent.name in seen.text and seen.lines[-1].startswith(">"))


async def test_a_conversation_at_80_columns(chat_stage: Stage, agent: RowAgent) -> None:
    await agent.post("Good morning.")
    await agent.end(await agent.begin(), "Good morning to you, 日本.")
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        # The last page is there at once.
        await run.until_seen("Good morning.", "Good morning to you, 日本.")
        await opened(run, agent)
        run.type("What do you see?\r")
        task_id = await asked(agent)
        await run.until_seen("  What do you see?")
        await agent.say(task_id, "I see a field of very many flowers, and behind it, ")
        await run.until_seen("flowers, and behind it,")
        arguments = {"place": "x" * 200}
        await agent.tell(task_id, ToolCalled(step="1.1 look", tool="look", arguments=arguments))
        await run.until(lambda seen: re.search(r"⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏", seen.text) is not None)
        await agent.tell(task_id, ToolResult(step="1.1 look", text="a long road"))
        await run.until_seen("✓ look", "a long road")
        assert "xxx" not in next(line for line in run.picture.lines if "✓ look" in line)
        run.type("/calls\r")
        await run.until(lambda seen: seen.text.count("x") >= 190)
        run.type("And then?\r")
        await run.until_seen("queued  And then?")
        reply = "I see a field of very many flowers, and behind it, a long road to the far hills."
        await agent.say(task_id, "a long road to the far hills.")
        await agent.end(task_id, reply)
        await run.until(lambda seen: "queued" not in seen.text and "  And then?" in seen.text)
        await run.until(lambda seen: seen.lines[-1] == ">")
        assert all(len(line) <= 80 for line in run.picture.lines)
        run.type("/quit\r")
        assert await run.end() == 0
    text = run.picture.text
    assert text.count("field of very many") == 1
    assert text.index("far hills") < text.index("And then?")
    assert f"{agent.name} stays" in text
    assert run.picture.has_styles


async def test_ctrl_c_interrupts_the_answer_and_twice_it_leaves(
    chat_stage: Stage, agent: RowAgent
) -> None:
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        await opened(run, agent)
        run.type("Tell me all\r")
        task_id = await asked(agent)
        await agent.say(task_id, "It is long ")
        await run.until_seen("It is long")
        run.type("\x03")
        await run.until_seen("Interrupting.")
        await agent.cut(task_id, "It is long")
        await run.until_seen("(interrupted)")
        await asyncio.sleep(2.1)  # By then the next Ctrl-C is another first one.
        run.type("half a thou\x03")
        await run.until_seen("Ctrl-C again leaves")
        run.type("\x03")
        assert await run.end() == 0
    answer = await chat_stage.http.get(f"/agents/{agent.id}")
    assert answer.json()["state"] == "idle"


async def test_ctrl_d_leaves_and_the_terminal_is_as_it_was(
    chat_stage: Stage, agent: RowAgent
) -> None:
    async with typing(chat_stage.url, "agents", "chat", agent.name, NO_COLOR="1") as run:
        await opened(run, agent)
        run.type("abc\x7f\x7f\x7f\x04")
        assert await run.end() == 0
    assert not run.picture.has_styles


async def test_what_a_model_sends_to_the_terminal_is_shown_and_not_obeyed(
    chat_stage: Stage, agent: RowAgent
) -> None:
    evil = "\x1b[2J\x1b]52;c;cm0=\x07\x9b31m\u202e"
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        await opened(run, agent)
        run.type("Go\r")
        task_id = await asked(agent)
        await agent.say(task_id, *evil)
        await agent.tell(task_id, ToolCalled(step="1.1 look", tool=evil, arguments={evil: evil}))
        await agent.tell(task_id, ToolResult(step="1.1 look", text=evil))
        await agent.end(task_id, evil)
        await run.until_seen("\\x1b[2J\\x1b]52", "\\x9b31m\\u202e", "✓")
        # The picture takes what it does not know, as these are, for a mistake.
        run.type("\x04")
        assert await run.end() == 0


async def test_an_agent_that_fails_says_what_mends_it(chat_stage: Stage, agent: RowAgent) -> None:
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        await opened(run, agent)
        run.type("Go\r")
        await agent.end(await asked(agent), None)
        await run.until_seen("could not answer: It went wrong.", f"agents restart {agent.name}")
        run.type("/nonsense\r")
        await run.until_seen("There is no /nonsense.")
        run.type("\x04")
        assert await run.end() == 0


async def test_what_was_sent_last_arrives_although_the_person_leaves_at_once(
    chat_stage: Stage, agent: RowAgent
) -> None:
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        await opened(run, agent)
        run.type("One last thing\r\x04")
        assert await run.end() == 0
    assert await unread(agent) == 1


async def test_a_line_that_is_no_message_is_refused_with_its_reason(
    chat_stage: Stage, agent: RowAgent, tmp_path: Path
) -> None:
    given = tmp_path / "lines"
    given.write_text("x" * 100_001)
    printed = await agentos(chat_stage.url, "agents", "chat", agent.name, stdin=given)
    assert printed.code == 2
    assert "/content" in printed.stderr
    assert await unread(agent) == 0


async def test_what_was_typed_before_it_was_asked_decides_nothing(
    chat_stage: Stage, agent: RowAgent
) -> None:
    async with typing(chat_stage.url, "agents", "chat", agent.name) as run:
        await opened(run, agent)
        run.type("Paint it.\r")
        task_id = await asked(agent)
        await agent.say(task_id, "I see.\n")
        run.type("yes please make it blue")
        await run.until(lambda seen: seen.lines[-1] == "> yes please make it blue")
        await agent.tell(task_id, ApprovalAsked(step="1.1 rm", call_id="c", ask_id="a"))
        await run.until(lambda seen: seen.lines[-1] == "y/n> yes please make it blue")
        run.type("\r")
        await run.until_seen("Not sent: what is asked has changed")
        await run.until(lambda seen: seen.lines[-1] == "y/n> yes please make it blue")
        run.type("\x03\x03")
        assert await run.end() == 0


async def test_new_makes_the_agent_first(chat_stage: Stage) -> None:
    async with typing(chat_stage.url, "agents", "chat", "fresh", "--new") as run:
        await run.until_seen("fresh · idle")
        run.type("\x04")
        assert await run.end() == 0
    refused = await agentos(chat_stage.url, "agents", "chat", "fresh", "--new")
    assert refused.code == 2
    assert "fresh" in refused.stderr


async def test_lines_of_a_pipe_are_messages_and_their_replies_are_printed(
    chat_stage: Stage, agent: RowAgent, tmp_path: Path
) -> None:
    given = tmp_path / "lines"
    given.write_text("hello\n\nand you?\n")
    run = await start(chat_stage.url, "agents", "chat", agent.name, stdin=given)
    await agent.execute(
        """
        WITH agent AS (
            UPDATE agents SET message_seq = message_seq + 1 WHERE id = :id RETURNING *
        )
        INSERT INTO inbox (id, team_id, agent_id, seq, kind, from_agent_id, from_name, to_agent_id,
                           to_name, content, mode, hops, round, is_interrupted, read_at)
        SELECT gen_random_uuid(), team_id, id, message_seq, 'reply', id, name, id, 'another',
               'Not for you.', 'queue', 0, 0, false, now()
        FROM agent""",
        id=agent.id,
    )
    await agent.end(await asked(agent), "Hi.\x1b[2J")
    await agent.end(await asked(agent), "Well.")
    printed = await run.end()
    assert (printed.code, printed.stdout) == (0, "Hi.\\x1b[2J\nWell.\n")
    assert printed.stderr == ""


async def test_a_pipe_is_told_why_there_is_no_answer(
    chat_stage: Stage, agent: RowAgent, tmp_path: Path
) -> None:
    given = tmp_path / "lines"
    given.write_text("hello\n")
    run = await start(chat_stage.url, "agents", "chat", agent.name, stdin=given)
    await agent.end(await asked(agent), None)
    printed = await run.end()
    assert (printed.code, printed.stdout) == (1, "")
    assert f"Mend it with: agentos agents restart {agent.name}" in printed.stderr


async def test_an_agent_is_watched_in_lines_and_as_json(chat_stage: Stage, agent: RowAgent) -> None:
    lines = await start(chat_stage.url, "agents", "watch", agent.name)
    documents = await start(chat_stage.url, "agents", "watch", "-o", "json")
    assert b": idle" in await lines.stdout.readline()
    while json.loads(await documents.stdout.readline())["data"].get("id") != str(agent.id):
        pass
    await agent.post("Are you there?")
    assert b"Are you there?" in await lines.stdout.readline()
    document = json.loads(await documents.stdout.readline())
    assert (document["type"], document["data"]["unread"]) == ("agent", 1)
    for run in (lines, documents):
        run.send_signal(2)
        assert (await run.end()).code == 130


async def test_an_agent_that_nobody_knows_is_not_found(chat_stage: Stage) -> None:
    for command in ("chat", "watch"):
        printed = await agentos(chat_stage.url, "agents", command, "nobody-there")
        assert printed.code == 5
        assert "agentos agents ls" in printed.stderr
