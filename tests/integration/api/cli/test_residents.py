"""``agentos agents``: agents that stay, from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos
from tests.integration.residents import Residents
from tests.live import Printed


@pytest.fixture(scope="module")
async def residents_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with agent_stage(infrastructure, skills_folder) as stage:
        yield stage


@pytest.fixture
def residents(residents_stage: Stage) -> Residents:
    return Residents(residents_stage, residents_stage.http)


async def run(residents: Residents, *words: str) -> Printed:
    printed = await agentos(residents.stage.url, "agents", *words)
    assert printed.code == 0, printed.stderr
    return printed


async def refused(residents: Residents, code: int, *words: str) -> str:
    printed = await agentos(residents.stage.url, "agents", *words)
    assert printed.code == code, printed.stderr
    return " ".join(printed.stderr.split())


async def test_the_life_of_an_agent_from_the_command_line(residents: Residents) -> None:
    name = f"clerk {uuid4()}"
    words = ("--role", "a clerk", "--skill", "greet", "--turns", "7", "--daily-tokens", "1000")
    made = json.loads((await run(residents, "create", name, *words, "-o", "json")).stdout)
    assert (made["profile"]["role"], made["skills"]) == ("a clerk", ["greet"])
    assert (made["limits"]["turns"], made["limits"]["daily_tokens"]) == (7, 1000)
    short = made["id"][:8]
    shown = (await run(residents, "show", short)).stdout
    assert name in shown
    assert "at most 1,000 tokens" in " ".join(shown.split())
    edited = await run(residents, "edit", name, "--tone", "dry", "--turns", "8", "-o", "json")
    assert json.loads(edited.stdout)["limits"] == {**made["limits"], "turns": 8}
    for command, state in (("pause", "paused"), ("resume", "idle")):
        changed = await run(residents, command, name, "-o", "json")
        assert json.loads(changed.stdout)["state"] == state
    assert "it is idle" in await refused(residents, 2, "rm", name)
    child = f"child {uuid4()}"
    await run(residents, "create", child, "--parent", name)
    assert child in (await run(residents, "ls", "--parent", short)).stdout
    await run(residents, "terminate", name, "--hand-over")
    await run(residents, "rm", name)
    assert "No agent has the name" in await refused(residents, 5, "show", name)
    listed = await run(residents, "ls", "--text", child, "--state", "idle", "-o", "json")
    [only] = json.loads(listed.stdout)["items"]
    assert only["parent_id"] is None


async def test_a_message_with_a_file_waits_for_the_reply_and_prints_it(
    residents: Residents, tmp_path: Path
) -> None:
    name = f"reader {uuid4()}"
    agent_id, writer = await residents.create(name=name), await residents.create()
    (tmp_path / "sales.csv").write_text("a,b\n1,2\n")
    attached = f"sales={tmp_path / 'sales.csv'}"
    words = ("send", name, "What is this?", "--attach", attached, "--from", writer, "--wait")
    waiting = asyncio.create_task(run(residents, *words))
    while not (await residents.show(agent_id))["unread"]:
        await asyncio.sleep(0.05)
    await residents.reply(agent_id, "A table.\nOf sales.")
    printed = await waiting
    assert printed.stdout == "A table.\nOf sales.\n"
    shown = await run(residents, "messages", name)
    assert "What is this?" in shown.stdout
    assert "+ sales=file:" in shown.stdout
    assert shown.stdout.index("What is this?") < shown.stdout.index("Of sales.")
    last = await run(residents, "messages", name, "--limit", "1", "-o", "json")
    assert [each["kind"] for each in json.loads(last.stdout)["items"]] == ["reply"]


async def test_a_reply_that_does_not_come_ends_the_command_with_the_reason(
    residents: Residents,
) -> None:
    slow, failing = await residents.create(), await residents.create()
    late = await refused(residents, 124, "send", slow, "Hello", "--wait", "--timeout", "0.2")
    assert "has not answered within 0.2 s" in late
    waiting = asyncio.create_task(refused(residents, 1, "send", failing, "Hello", "--wait"))
    while not (await residents.show(failing))["unread"]:
        await asyncio.sleep(0.05)
    await residents.fail(failing)
    assert "It went wrong." in await waiting
    await run(residents, "restart", failing, "--skip")
    assert (await residents.show(failing))["state"] == "idle"


async def test_a_message_is_sent_once_under_a_key_with_its_file_and_withdrawn(
    residents: Residents, tmp_path: Path
) -> None:
    agent_id = await residents.create()
    (tmp_path / "sales.csv").write_text("once\n")
    attached = ("--attach", f"sales={tmp_path / 'sales.csv'}")
    words = ("send", agent_id, "Hello", "--idempotency-key", "k", *attached)
    first, again = await run(residents, *words), await run(residents, *words)
    assert first.stdout == again.stdout
    await run(residents, "withdraw", agent_id, first.stdout.strip())
    assert (await residents.show(agent_id))["unread"] == 0


async def test_a_message_longer_than_an_argument_may_be_comes_from_stdin(
    residents: Residents, tmp_path: Path
) -> None:
    agent_id, text, path = await residents.create(), "é" * 90_000, tmp_path / "message.txt"
    path.write_text(f"{text}\n")
    words = ("agents", "send", agent_id, "-")
    sent = await agentos(residents.stage.url, *words, stdin=path)
    assert sent.code == 0, sent.stderr
    shown = json.loads((await run(residents, "messages", agent_id, "-o", "json")).stdout)
    assert [each["content"] for each in shown["items"]] == [text]


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"caf\xe9", 2, "byte 4 is not UTF-8"),
        (b"x" * (1024 * 1024 + 1), 2, "larger than"),
        (b"x" * 100_001, 2, "/content"),
        (b"\n", 2, "/content"),
    ],
    ids=["latin-1", "far too long", "too long", "blank"],
)
async def test_what_is_no_message_on_stdin_is_refused_with_the_reason(
    residents: Residents, tmp_path: Path, content: bytes, code: int, reason: str
) -> None:
    path = tmp_path / "message.txt"
    path.write_bytes(content)
    sent = await agentos(residents.stage.url, "agents", "send", "x", "-", stdin=path)
    assert (sent.code, sent.stdout) == (code, "")
    assert reason in " ".join(sent.stderr.split())


async def test_templates_are_set_from_a_file_listed_and_removed(
    residents: Residents, tmp_path: Path
) -> None:
    path = tmp_path / "clerk.yaml"
    path.write_text("description: For tests\nprofile: {role: a clerk}\n")
    await run(residents, "templates", "set", "clerk", str(path))
    assert "For tests" in (await run(residents, "templates", "ls")).stdout
    name = f"made {uuid4()}"
    made = await run(residents, "create", name, "--template", "clerk", "-o", "json")
    assert json.loads(made.stdout)["profile"]["role"] == "a clerk"
    shown = json.loads((await run(residents, "templates", "show", "clerk")).stdout)
    assert shown["source"] == "team"
    await run(residents, "templates", "rm", "clerk")
    assert "There is no template" in await refused(residents, 5, "templates", "show", "clerk")
    path.write_text("limits: {turns: 0}\n")
    wrong = await refused(residents, 2, "templates", "set", "clerk", str(path))
    assert "/limits/turns" in wrong


WRONG: dict[str, tuple[int, tuple[str, ...], str]] = {
    "an agent that is missing": (5, ("show", "nobody at all"), "No agent has the name"),
    "an id that is missing": (5, ("show", "abcdef012"), "No agent has the name"),
    "nothing to change": (2, ("edit", "x"), "nothing to change"),
    "a name that is none": (2, ("create", " x"), "/name"),
    "no turns": (2, ("create", "x", "--turns", "0"), "/limits/turns"),
    "a blank message": (2, ("send", "x", " "), "/content"),
    "a file that is missing": (2, ("send", "x", "y", "--attach", "a=/none"), "no file"),
    "an unknown state": (2, ("ls", "--state", "busy"), "busy"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_command_line_is_refused_with_the_reason(
    residents: Residents, case: str
) -> None:
    code, words, reason = WRONG[case]
    assert reason in await refused(residents, code, *words)


async def test_several_agents_with_the_beginning_of_an_id_are_all_named(
    residents: Residents,
) -> None:
    one, other = await residents.create(), await residents.create()
    ids = {
        one: "abcdef12-0000-4000-8000-000000000001",
        other: "abcdef12-0000-4000-8000-00000000002f",
    }
    for agent_id, wanted in ids.items():
        await residents.stage.execute(
            "UPDATE agents SET id = CAST(CAST(:wanted AS text) AS uuid)"
            " WHERE id = CAST(CAST(:agent_id AS text) AS uuid)",
            agent_id=agent_id,
            wanted=wanted,
        )
    assert "2 agents have an id that begins with abcdef12" in await refused(
        residents, 2, "show", "abcdef12"
    )


async def test_a_task_says_which_agent_has_begun_it_and_a_turn_whose_it_is(
    residents: Residents,
) -> None:
    agent_id, url = await residents.create(), residents.stage.url
    document = {"type": "agent", "prompt": "Count.", "agent": {}}
    task_id = (await residents.http.post("/tasks", json=document)).json()["task_id"]
    begun = "UPDATE tasks SET agent_id = :agent_id WHERE id = :id"
    await residents.stage.execute(begun, agent_id=UUID(agent_id), id=UUID(task_id))
    assert (await residents.http.get(f"/tasks/{task_id}")).json()["agent_id"] == agent_id
    listed = (await residents.http.get("/tasks")).json()["items"]
    assert [each["agent_id"] for each in listed if each["task_id"] == task_id] == [agent_id]
    shown = (await agentos(url, "show", task_id)).stdout
    assert ["Begun", "by", "agent", agent_id] in [line.split() for line in shown.splitlines()]
    await residents.send(agent_id)
    turn = (await agentos(url, "show", str(await residents.begin(agent_id)))).stdout
    assert ["Turn", "of", agent_id] in [line.split() for line in turn.splitlines()]
    assert "Begun" not in turn
