"""The commands for agents, as typed in a terminal, against a true API and against a hostile one."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.wire.responses.approvals import AskedCall
from api.wire.responses.history import Message, ToolRequest
from deploy.local.services import Services
from tests.integration.agent_stage import (
    ObedientAgents,
    agent_stage,
    submit,
    working_agents,
)
from tests.integration.api_stage import WAIT_SECONDS, Stage
from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import (
    NOW,
    TASK_ID,
    Server,
    a_page,
    a_step,
    a_task,
    document,
    problem,
    serving,
    stream,
)
from workflows.states import Status


@pytest.fixture(scope="module")
async def cli_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with agent_stage(infrastructure, skills_folder, sweep_interval_seconds=0.5) as stage:
        yield stage


@pytest.fixture
async def working(cli_stage: Stage) -> AsyncIterator[ObedientAgents]:
    async with working_agents(cli_stage) as agents:
        yield agents


# Submitting.


async def test_an_agents_summary_ends_what_is_shown(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    prompt = "call a\nfinish Three rows."
    printed = await agentos(cli_stage.url, "submit", "agent", prompt, "--wait")
    assert printed.code == 0
    task = await cli_stage.task(printed.stdout.strip())
    assert task["status"] == "completed"
    assert "completed in" in printed.stderr
    assert "  Three rows.\n" in printed.stderr
    assert '"rows": 3' in printed.stderr
    assert "2 turns" in printed.stderr


async def test_json_of_a_wait_is_the_result(cli_stage: Stage, working: ObedientAgents) -> None:
    words = ("submit", "agent", "finish Three rows.", "--wait", "-o", "json")
    printed = await agentos(cli_stage.url, *words)
    shown = json.loads(printed.stdout)
    assert shown.keys() == {"summary", "result", "files"}
    assert shown["summary"] == "Three rows."


async def test_the_result_of_an_agent_is_its_summary_or_what_its_schema_asks_for(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "finish Three rows.")
    printed = await agentos(cli_stage.url, "result", task_id, "--wait")
    assert printed.code == 0
    given = (await cli_stage.task(task_id))["result"]
    wanted = json.dumps(given["result"], indent=2) if given["result"] else given["summary"]
    assert printed.stdout == f"{wanted}\n"


async def test_an_agent_is_told_something_while_it_works(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "wait a", "finish x")
    await cli_stage.until(task_id, "running")
    printed = await agentos(cli_stage.url, "tell", task_id[:10], "And Q2.")
    assert (printed.code, printed.stdout) == (0, "")
    assert "before its next turn" in printed.stderr
    printed = await agentos(cli_stage.url, "messages", task_id)
    *_, head, text = printed.stdout.rstrip().splitlines()
    assert "not read yet" in head
    assert text == "  And Q2."
    working.released.set()
    watched = await agentos(cli_stage.url, "watch", task_id)
    assert "tells it: And Q2." in watched.stderr
    printed = await agentos(cli_stage.url, "tell", task_id, "Too late.")
    assert printed.code == 2
    assert "it has ended (completed)" in printed.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "byte 1 is not UTF-8"), (b"x" * 1_048_577, "larger than 1,048,576 bytes")],
    ids=["not UTF-8", "too long"],
)
async def test_what_is_no_text_on_stdin_is_told_to_no_agent(
    cli_stage: Stage, tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "word").write_bytes(content)
    printed = await agentos(cli_stage.url, "tell", "0c9b12", "-", stdin=tmp_path / "word")
    assert printed.code != 0
    assert reason in printed.stderr
    assert "Traceback" not in printed.stderr


async def test_every_option_becomes_part_of_the_agent(cli_stage: Stage, tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("type: object\nproperties: {rows: {type: integer}}\n")
    data = tmp_path / "data.csv"
    data.write_text("a,b\n")
    words = (
        *("submit", "agent", "finish x", "--input", f"data={data}"),
        *("--skill", "greet", "--skill", "two", "--tool", "read_file", "--tool", "finish"),
        *("--model", "m-1", "--schema", str(schema), "--turns", "7", "--tokens", "900"),
        *("--seconds", "60", "--name", "Ann", "--role", "analyst", "--goal", "sums"),
        *("--tone", "dry", "--priority", "9"),
    )
    printed = await agentos(cli_stage.url, *words)
    assert printed.code == 0, printed.stderr
    task = await cli_stage.task(printed.stdout.strip())
    assert task["definition"] == {
        "profile": {"name": "Ann", "role": "analyst", "goal": "sums", "tone": "dry"},
        "skills": ["greet", "two"],
        "tools": ["read_file", "finish"],
        "model": "m-1",
        "output_schema": {"type": "object", "properties": {"rows": {"type": "integer"}}},
        "limits": {"turns": 7, "tokens": 900, "seconds": 60.0},
    }
    assert (task["prompt"], task["priority"]) == ("finish x", 9)
    assert task["inputs"]["data"].startswith("file:")


async def test_problems_found_by_the_server_are_printed_with_their_places(cli_stage: Stage) -> None:
    words = ("submit", "agent", "x", "--skill", "nosuch", "--cost", "1")
    printed = await agentos(cli_stage.url, *words)
    assert printed.code == 2
    assert "/agent/skills/0" in printed.stderr
    assert "/agent/limits/cost_usd" in printed.stderr


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("--turns", "0"), "/limits/turns"),
        (("--cost", "-1"), "/limits/cost_usd"),
        (("--seconds", "nan"), "/limits/seconds"),
        (("--name", ""), "/profile/name"),
    ],
)
async def test_a_bad_agent_is_refused_before_anything_is_sent(
    words: tuple[str, ...], place: str
) -> None:
    async with serving() as server:
        printed = await agentos(server.url, "submit", "agent", "x", *words)
        assert printed.code == 2
        assert place in printed.stderr
        assert server.asked == []


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff", b"a: &x [*x]"])
async def test_a_file_that_holds_no_schema_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "schema.yaml"
    path.write_bytes(content)
    async with serving() as server:
        printed = await agentos(server.url, "submit", "agent", "x", "--schema", str(path))
        assert printed.code == 2
        assert "is not a JSON schema" in printed.stderr
        assert ".." not in printed.stderr
        assert server.asked == []


# Approvals.


async def test_a_call_is_approved_by_its_number(cli_stage: Stage, working: ObedientAgents) -> None:
    task_id = await submit(cli_stage, "ask a; ask b", "finish x")
    await cli_stage.until(task_id, "waiting")
    printed = await agentos(cli_stage.url, "approve", task_id[:10], "1.2", "--note", "fine")
    assert (printed.code, printed.stdout) == (0, "1.2 b  approved\n")
    printed = await agentos(cli_stage.url, "deny", task_id, "1.1 a", "-o", "json")
    assert json.loads(printed.stdout)["decision"] == "deny"
    await cli_stage.until(task_id, "completed")
    assert working.verdicts == {"1.1 a": "denied", "1.2 b": "approved"}


@pytest.mark.usefixtures("working")
async def test_whoever_waits_for_what_waits_for_a_person_is_told_so(cli_stage: Stage) -> None:
    task_id = await submit(cli_stage, "ask a", "finish x")
    await cli_stage.until(task_id, "waiting")
    printed = await agentos(cli_stage.url, "result", task_id, "--wait", "--timeout", "2")
    assert (printed.code, printed.stdout) == (124, "")
    assert f"It waits for a person: agentos approvals {task_id}\n" in printed.stderr
    await agentos(cli_stage.url, "deny", task_id)
    await cli_stage.until(task_id, "completed")
    nothing = await agentos(cli_stage.url, "approvals", task_id)
    assert (nothing.stdout, nothing.stderr) == ("", "Nothing waits for you.\n")


async def test_the_only_call_that_waits_need_not_be_named(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "question a; call b", "finish x")
    await cli_stage.until(task_id, "waiting")
    refused = await agentos(cli_stage.url, "approve", task_id)
    assert refused.code == 2
    assert "write the answer" in refused.stderr
    printed = await agentos(cli_stage.url, "approve", task_id, "--note", "The first.")
    assert printed.code == 0
    await cli_stage.until(task_id, "completed")
    printed = await agentos(cli_stage.url, "approve", task_id)
    assert printed.code == 2
    assert "is waiting for a person" in printed.stderr


async def test_of_several_calls_that_wait_one_must_be_named(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "ask a; ask b")
    await cli_stage.until(task_id, "waiting")
    printed = await agentos(cli_stage.url, "deny", task_id)
    assert printed.code == 2
    assert "1.1 a, 1.2 b" in printed.stderr


async def test_a_decision_that_was_made_is_repeated_and_not_changed(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "ask a", "finish x")
    await cli_stage.until(task_id, "waiting")
    for _ in range(2):
        assert (await agentos(cli_stage.url, "approve", task_id, "1.1")).code == 0
    printed = await agentos(cli_stage.url, "deny", task_id, "1.1")
    assert printed.code == 2
    assert "already approved" in printed.stderr
    assert (await agentos(cli_stage.url, "deny", task_id, "9.9")).code == 5


async def test_a_command_that_is_typed_twice_does_not_answer_the_next_question(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "quiz a", "finish x")
    await cli_stage.until(task_id, "waiting")
    command = await shown_command(cli_stage, task_id, "How many?")
    assert (await agentos(cli_stage.url, *command, "--note", "3")).code == 0
    second = await shown_command(cli_stage, task_id, "How often?")
    for typed in (command, ["approve", task_id, "1.1"], ["approve", task_id]):
        printed = await agentos(cli_stage.url, *typed, "--note", "3")
        assert printed.code != 0
    assert (await agentos(cli_stage.url, *second, "--note", "7")).code == 0
    await cli_stage.until(task_id, "completed")
    assert working.answers == {"1.1 a": "7"}


async def shown_command(stage: Stage, task_id: str, question: str) -> list[str]:
    """The command that ``approvals`` shows for an answer, once a call asks this."""
    async with asyncio.timeout(WAIT_SECONDS):
        while question not in (printed := await agentos(stage.url, "approvals", task_id)).stdout:
            await asyncio.sleep(0.05)
    [line] = [line for line in printed.stdout.splitlines() if line.startswith("agentos approve")]
    return line.split()[1:4]


async def test_watch_shows_the_commands_that_answer_a_call(
    cli_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(cli_stage, "ask a", "finish Done.")
    await cli_stage.until(task_id, "waiting")
    running = await start(cli_stage.url, "watch", task_id)
    assert (await agentos(cli_stage.url, "approve", task_id)).code == 0
    printed = await running.end()
    assert printed.code == 0
    assert "  Done.\n" in printed.stderr


# Looking back.


async def test_show_prints_what_an_agent_did(cli_stage: Stage, working: ObedientAgents) -> None:
    task_id = await submit(cli_stage, "call a; call b", "finish Three rows.")
    await cli_stage.until(task_id, "completed")
    shown = (await agentos(cli_stage.url, "show", task_id)).stdout
    for text in ("Three rows.", "1.1 a", "1.2 b", '"rows": 3', "2 of at most 50", "30 tokens"):
        assert text in shown
    messages = (await agentos(cli_stage.url, "messages", task_id)).stdout
    assert "2 assistant  turn 1 · obedient · 15 tokens · 0.0s" in messages
    assert '→ a {"a": 1}' in messages
    document = json.loads((await agentos(cli_stage.url, "messages", task_id, "-o", "json")).stdout)
    assert [item["seq"] for item in document["items"]] == [1, 2, 3, 4, 5, 6]
    trace = (await agentos(cli_stage.url, "trace", task_id)).stdout
    assert "turn 2" in trace
    assert "obedient, 15 tokens" in trace


# A hostile model.

EVIL = "\x1b]0;owned\x07 \x9b31m \u202egpj.exe [bold red]x[/] :smile: \r"
ASKED = {
    "step": f"1.1 run{EVIL}",
    "call_id": "c1",
    "tool": f"run{EVIL}",
    "arguments": {"a": EVIL},
    "kind": "answer",
    "question": EVIL,
    "expires_at": NOW.isoformat(),
}
EVENTS = (
    (1, "task.status", {"status": "pending"}),
    (2, "turn.started", {"turn": 1}),
    (3, "llm.delta", {"turn": 1, "text": f"I say{EVIL}\nand{EVIL}"}),
    (4, "message.created", {"turn": 1, "content": f"I say{EVIL}", "model": f"m{EVIL}"}),
    (5, "tool.called", ASKED),
    (6, "approval.asked", ASKED),
    (7, "step.started", {"step": ASKED["step"], "attempt": 1}),
    (8, "artifact.created", {"step": ASKED["step"], "name": f"f{EVIL}", "size": 3}),
    (9, "tool.result", {"step": ASKED["step"], "ok": False, "text": f"no{EVIL}"}),
    (10, "turn.started", {"turn": 2}),
    (11, "approval.asked", {**ASKED, "step": "2.1 x", "kind": "approval"}),
    (12, "task.status", {"status": "completed"}),
)


@pytest.fixture
async def hostile() -> AsyncIterator[Server]:
    async with serving() as server:
        result = {"summary": f"I did{EVIL}", "result": {"x": EVIL}, "files": []}
        usage = {"tokens_used": 5, "attempts": 1, "duration_ms": 5, "turns": 2, "cost_usd": 0.5}
        step = a_step(f"1.1 run{EVIL}", 3, status=Status.WAITING)
        task = a_task(
            type="agent",
            name=f"sum{EVIL}",
            status="completed",
            sub_tasks=[step],
            result=result,
            usage=usage,
            definition={},
        )
        message = Message(
            seq=1,
            turn=1,
            role=f"assistant{EVIL}",
            content=f"I say{EVIL}\n{EVIL}",
            requests=[ToolRequest(id=EVIL, name=EVIL, arguments=EVIL)],
            request_id=None,
            sub_task_id=None,
            model=EVIL,
            usage=None,
            created_at=NOW,
        )
        server.tell(f"GET /tasks/{TASK_ID}", document(task))
        server.tell(f"GET /tasks/{TASK_ID}/events", stream(EVENTS))
        server.tell(f"GET /tasks/{TASK_ID}/messages", a_page([message]))
        server.tell(f"GET /tasks/{TASK_ID}/messages/unread", a_page([]))
        yield server


def _is_harmless(text: str) -> bool:
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) and "\\x1b]0;owned" in text


@pytest.mark.parametrize("command", ["watch", "show", "messages"])
async def test_control_sequences_of_a_model_are_shown_and_not_obeyed(
    hostile: Server, command: str
) -> None:
    printed = await agentos(hostile.url, command, str(TASK_ID))
    assert printed.code == 0, printed.stderr
    assert _is_harmless(printed.stdout + printed.stderr)
    assert "[bold red]x[/]" in printed.stdout + printed.stderr


async def test_the_moving_picture_of_an_agent_is_harmless(hostile: Server) -> None:
    running = await start(hostile.url, "watch", str(TASK_ID), terminal=True, TERM="xterm-256color")
    printed = await running.end()
    assert printed.code == 0
    drawn = printed.stderr
    assert "\x1b[?25l" in drawn  # It did move.
    assert not re.search("\x1b\\]|\x07|\x9b|\u202e", drawn)
    assert "\\x1b]0;owned" in drawn
    assert "I did" in drawn


async def test_an_agent_on_a_terminal_without_colour_has_none(hostile: Server) -> None:
    running = await start(
        hostile.url, "watch", str(TASK_ID), terminal=True, TERM="xterm-256color", NO_COLOR="1"
    )
    printed = await running.end()
    assert "turn 1" in printed.stderr
    assert not re.search(r"\x1b\[[0-9;]*m", printed.stderr)


async def test_a_decision_is_sent_again_when_the_answer_is_lost() -> None:
    async with serving() as server:
        approval = {"kind": "approval", "asked_at": NOW, "expires_at": NOW}
        step = a_step("1.1 x", 3, status=Status.WAITING, approval=approval)
        server.tell(f"GET /tasks/{TASK_ID}", document(a_task(type="agent", sub_tasks=[step])))
        waiting = {"tool": "x", "arguments": {}, "name": "1.1 x", "status": "waiting"}
        listed = AskedCall(call_id=step["id"], **approval, **waiting)
        server.tell(f"GET /tasks/{TASK_ID}/approvals", a_page([listed]))
        call = f"/tasks/{TASK_ID}/approvals/{step['id']}"
        decided = AskedCall(
            **approval,
            decision="approve",
            call_id=step["id"],
            name="1.1 x",
            tool="x",
            arguments={},
            status=Status.WAITING,
        )
        server.tell(f"POST {call}", problem(503, "temporary-failure"), document(decided, 202))
        printed = await agentos(server.url, "approve", str(TASK_ID))
        assert (printed.code, printed.stdout) == (0, "1.1 x  approved\n")
        assert [json.loads(asked.body) for asked in server.asked_for(f"POST {call}")] == [
            {"decision": "approve"}
        ] * 2


async def test_approvals_print_all_that_waits_however_many_pages_that_is() -> None:
    async with serving() as server:
        waiting = {"tool": "x", "arguments": {}, "status": Status.WAITING, "kind": "approval"}
        calls = [
            AskedCall(call_id=TASK_ID, name=name, asked_at=NOW, expires_at=NOW, **waiting)
            for name in ("1.1 x", "1.2 x")
        ]
        server.tell(f"GET /tasks/{TASK_ID}", document(a_task(type="agent")))
        pages = (a_page(calls[:1], next_cursor="7"), a_page(calls[1:]))
        server.tell(f"GET /tasks/{TASK_ID}/approvals", *pages)
        printed = await agentos(server.url, "approvals", str(TASK_ID))
        assert printed.code == 0, printed.stderr
        assert all(call.name in printed.stdout for call in calls)


async def test_approvals_print_a_call_in_full_and_obey_none_of_it() -> None:
    async with serving() as server:
        source = f"import os\n{'x' * 5_000}{EVIL}\nos.remove('all')"
        call = AskedCall(
            kind="approval",
            asked_at=NOW,
            expires_at=NOW,
            call_id=TASK_ID,
            name=f"1.1 run{EVIL}",
            tool="run_code",
            arguments={"source": source, "b": [1, "ö"]},
            status=Status.WAITING,
        )
        question = call.model_copy(
            update={"kind": "answer", "name": "1.2 ask_human", "question": f"Why?{EVIL}\nHow?"}
        )
        server.tell(f"GET /tasks/{TASK_ID}", document(a_task(type="agent")))
        server.tell(f"GET /tasks/{TASK_ID}/approvals", a_page([call, question]))
        printed = await agentos(server.url, "approvals", str(TASK_ID))
        assert printed.code == 0, printed.stderr
        lines = printed.stdout.splitlines()
        assert lines[0].endswith("until 2025-06-01 12:00:00 UTC")
        assert all(line.isprintable() for line in lines)
        assert any("x" * 5_000 in line and "os.remove('all')" in line for line in lines)
        assert '      "ö"' in lines
        assert f"agentos approve {TASK_ID} 1.1" in lines
        assert "  How?" in lines
        assert f'agentos approve {TASK_ID} 1.2 --note "your answer"' in lines
        as_json = json.loads(
            (await agentos(server.url, "approvals", str(TASK_ID), "-o", "json")).stdout
        )
        assert as_json["items"][0]["arguments"]["source"] == source
