"""What a server of an agent's tools asks a person, answered as people do: typed, and over HTTP."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.local.tcp_ports import choose_ports
from tests.doubles.scripted_models import ScriptedModels, asks, finishes
from tests.folders import DOUBLES
from tests.live import Live, until

PAGE = "https://sign.example/in?state=1"


async def register(live: Live, body: dict[str, Any]) -> None:
    answer = await live.http.post("/api/v1/tools/register", json=body)
    assert answer.status_code == 201, answer.text


async def remove(live: Live, name: str) -> None:
    (await live.http.delete(f"/api/v1/tools/mcp.{name}")).raise_for_status()


def program(name: str, effects: Path) -> dict[str, Any]:
    args = ["-I", str(DOUBLES / "mcp_asking.py"), str(effects)]
    return {"name": name, "transport": "stdio", "command": sys.executable, "args": args}


@pytest.fixture(scope="module")
async def effects(
    agents_live: Live, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Path]:
    """What the tools of ``mcp.asking`` have done."""
    path = tmp_path_factory.mktemp("asking") / "effects"
    await register(agents_live, program("asking", path))
    yield path
    await remove(agents_live, "asking")


def effects_of(path: Path, tool: str) -> list[str]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line.startswith(tool)]


async def asked(live: Live, task_id: str, question: str) -> dict[str, Any]:
    """What a call asks, once it is this."""
    found: list[dict[str, Any]] = []

    async def is_asked() -> bool:
        answer = await live.http.get(f"/api/v1/tasks/{task_id}/approvals")
        found[:] = [item for item in answer.json()["items"] if question in str(item["question"])]
        return bool(found)

    await until(is_asked)
    return found[0]


async def shown(live: Live, task_id: str, question: str) -> tuple[str, str, str]:
    """What ``agentos approvals`` shows, with the words after ``approve`` and ``deny``."""
    await asked(live, task_id, question)
    printed = await live.agentos("approvals", task_id)
    assert printed.code == 0, printed.stderr
    words = [line.split() for line in printed.stdout.splitlines() if line.startswith("agentos ")]
    [approve, deny] = [line[3] for line in words]
    return printed.stdout, approve, deny


async def test_a_form_is_filled_in_on_the_command_line(
    agents_live: Live, models: ScriptedModels, effects: Path
) -> None:
    talk = models.conversation(asks(("mcp.asking.survey", {})), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    text, ask, _ = await shown(agents_live, task_id, "Who are you?")
    for line in (
        "  - name (string, at least 2 characters): Your name",
        "  - age (number, at least 18)",
        "  - member (boolean, default yes)",
        "  - size (one of s = Small, m = Medium)",
        "  - days (any of mo = Monday, tu = Tuesday, at least 1 values)",
    ):
        assert line in text.splitlines()
    for note, reason in (("Ann", "NAME=VALUE"), ("name=Ann\nage=17", "'age' is at least 18")):
        refused = await agents_live.agentos("approve", task_id, ask, "--note", note)
        assert refused.code == 2
        assert reason in refused.stderr
    note = "name=Ann\nage=30.5\nsize=Medium\ndays=mo, Tuesday"
    for _ in range(2):
        printed = await agents_live.agentos("approve", task_id, ask, "--note", note)
        assert printed.code == 0, printed.stderr
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert "done" in talk.results()[0]
    [line] = effects_of(effects, "survey")
    assert json.loads(line.removeprefix("survey ")) == {
        **{"name": "Ann", "age": 30.5, "member": True, "size": "m"},
        **{"days": ["mo", "tu"], "note": "none"},
    }


async def test_two_questions_of_a_call_are_answered_over_http_though_the_worker_is_killed(
    agents_live: Live, models: ScriptedModels, effects: Path
) -> None:
    talk = models.conversation(asks(("mcp.asking.book", {})), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    first = await asked(agents_live, task_id, "Who?")
    assert first["form"]["properties"]["name"] == {"type": "string"}
    await agents_live.recovered("worker", agents_live.kill("worker"))
    path = f"approvals/{first['call_id']}"
    word = {"decision": "approve", "note": '{"name": "Ann"}', "ask_id": first["ask_id"]}
    assert await agents_live.post(task_id, path, **word) == 202
    second = await asked(agents_live, task_id, "How many?")
    assert await agents_live.post(task_id, path, **word) == 409
    word = {"decision": "approve", "note": "3", "ask_id": second["ask_id"]}
    assert await agents_live.post(task_id, path, **word | {"note": "three"}) == 422
    assert await agents_live.post(task_id, path, **word) == 202
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert effects_of(effects, "book") == ['book {"name": "Ann", "seats": 3}']
    heard = [data for kind, data in await agents_live.events_of(task_id) if kind.startswith("appr")]
    assert [data["ask_id"] for data in heard] == [first["ask_id"]] * 2 + [second["ask_id"]] * 2


async def test_a_server_is_told_that_a_person_declines(
    agents_live: Live, models: ScriptedModels, effects: Path
) -> None:
    talk = models.conversation(asks(("mcp.asking.delete", {"file": "a.txt"})), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    _, _, ask = await shown(agents_live, task_id, "Delete a.txt?")
    assert (await agents_live.agentos("deny", task_id, ask)).code == 0
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert "nothing was done: decline" in talk.results()[0]
    assert effects_of(effects, "delete") == []


async def test_a_server_is_told_that_nobody_answered(
    live: Live, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("asking") / "effects"
    await register(live, program("slow", path))
    task = await live.run_agent('call mcp.slow.delete {"file": "a.txt"}')
    assert task["status"] == "completed"
    told = [message["content"] for message in await live.messages_of(task["task_id"])]
    assert any("nothing was done: cancel" in content for content in told)
    assert not path.exists()
    await remove(live, "slow")


async def test_a_page_that_a_server_wants_opened_is_shown_and_the_call_made_again(
    agents_live: Live, models: ScriptedModels, effects: Path, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    given = {"url": PAGE, "until": str(opened)}
    talk = models.conversation(asks(("mcp.asking.locked", given)), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    text, ask, _ = await shown(agents_live, task_id, "Unlock it first.")
    assert "  Open a page at sign.example:" in text.splitlines()
    assert f"  {PAGE}" in text.splitlines()
    assert f"agentos approve {task_id} {ask}" in text.splitlines()  # Without a note.
    opened.touch()
    assert (await agents_live.agentos("approve", task_id, ask)).code == 0
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert "unlocked" in talk.results()[0]


@pytest.fixture
async def table(agents_live: Live, tmp_path: Path) -> AsyncIterator[Path]:
    """A server over HTTP, ``mcp.table``: what its tool has done."""
    [port] = choose_ports([None])
    program = (sys.executable, str(DOUBLES / "mcp_asking_sdk.py"), str(port))
    path = tmp_path / "effects"
    process = await asyncio.create_subprocess_exec(
        *program, str(path), stdout=DEVNULL, stderr=DEVNULL
    )

    async def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        await until(listens)
        url = f"http://127.0.0.1:{port}/mcp"
        await register(agents_live, {"name": "table", "transport": "http", "url": url})
        yield path
        await remove(agents_live, "table")
    finally:
        process.kill()
        await process.wait()


async def test_a_server_over_http_asks_two_questions_and_takes_effect_once(
    agents_live: Live, models: ScriptedModels, table: Path
) -> None:
    talk = models.conversation(asks(("mcp.table.reserve", {"day": "monday"})), finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    for question, note in (("Who comes?", "name=Ann"), ("Which table?", '{"seats": 2}')):
        _, ask, _ = await shown(agents_live, task_id, question)
        printed = await agents_live.agentos("approve", task_id, ask, "--note", note)
        assert printed.code == 0, printed.stderr
    assert (await agents_live.ended(task_id))["status"] == "completed"
    assert "monday Ann False 2 inside" in talk.results()[0]
    assert table.read_text() == "monday Ann False 2 inside\n"
