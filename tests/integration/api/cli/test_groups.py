"""``agentos groups`` against the true API."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.integration.cli_runs import agentos, start
from tests.integration.group_desk import GroupDesk
from tests.integration.resident_rows import new_agent


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API without workers: what agents do, a test does for them."""
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        yield stage


async def groups(stage: Stage, *words: str) -> str:
    printed = await agentos(stage.url, "groups", *words)
    assert printed.code == 0, printed.stderr
    return printed.stdout


async def test_a_group_is_made_changed_shown_and_deleted(stage: Stage) -> None:
    ann, bob = f"ann-{uuid4()}", f"bob-{uuid4()}"
    for name in (ann, bob):
        await new_agent(stage.database, name=name)
    crew = f"crew {uuid4()}"
    options = ("--moderated", "--answering", ann, "--rounds", "2", "--turn-seconds", "60")
    made = json.loads(await groups(stage, "create", crew, ann, *options, "-o", "json"))
    assert (made["mode"], made["limits"]["rounds"]) == ("moderated", 2)
    assert made["limits"]["turn_seconds"] == 60
    shown = await groups(stage, "show", crew)
    assert "2 rounds, 60 s a round" in shown
    assert ann in shown
    assert bob in await groups(stage, "add", crew, bob)
    assert ann not in await groups(stage, "remove", crew, ann)
    assert crew in await groups(stage, "ls")
    assert (await groups(stage, "rm", made["id"])).strip() == made["id"]
    gone = await agentos(stage.url, "groups", "show", crew)
    assert (gone.code, gone.stdout) == (5, "")
    assert "There is no group" in gone.stderr


async def test_a_discussion_is_shown_until_the_group_falls_silent(stage: Stage) -> None:
    crew = await GroupDesk.of(stage.database, 2)
    name = (await crew.group()).name
    sending = asyncio.create_task(agentos(stage.url, "groups", "send", name, "Hello", "--wait"))
    async with asyncio.timeout(WAIT_SECONDS):
        while not await crew.due():
            await asyncio.sleep(0.05)
    await crew.answer(0, "Two\nlines \x1b[31m")
    await crew.answer(1, "(silent)")
    await crew.answer(1, "(silent)")
    printed = await sending
    assert printed.code == 0, printed.stderr
    speaker = (await crew.said())[1].from_name
    assert printed.stdout.splitlines() == [
        f"{speaker}: Two",
        "lines \\x1b[31m",
        "(Nobody had anything more to say.)",
    ]
    listed = await groups(stage, "messages", name)
    assert listed.splitlines()[0] == "local user: Hello"
    assert listed.splitlines()[1:] == printed.stdout.splitlines()
    page = json.loads(await groups(stage, "messages", name, "--limit", "1", "-o", "json"))
    assert [item["reason"] for item in page["items"]] == ["quiet"]


async def test_a_group_is_watched_from_its_last_messages_until_it_is_deleted(stage: Stage) -> None:
    crew = await GroupDesk.of(stage.database, 0)
    await crew.post("Before")
    run = await start(stage.url, "groups", "watch", str(crew.id))
    lines: list[str] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(lines) < 2:
            lines.append((await run.stdout.readline()).decode().rstrip("\n"))
        await crew.post("After", from_name="Bob")
        while "Bob: After" not in lines:
            lines.append((await run.stdout.readline()).decode().rstrip("\n"))
        await stage.http.delete(f"/groups/{crew.id}")
        printed = await run.end()
    assert lines[0] == "Ann: Before"
    assert printed.code == 0, printed.stderr
