"""Workers and the API that are replaced one after another while tasks run, as at an update."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from api.client import AsyncClient as Client
from api.client.task_events import TaskEvent
from tests.doubles.scripted_models import Endless, ScriptedModels, asks, finishes
from tests.e2e.two_workers.conftest import STOP_SECONDS
from tests.live import Live, a_while, held, python, release, sleeping, until
from tests.pressure import allowed

WORKERS = ("worker", "worker-2")

# What is then interrupted takes a moment to end and to be told of.
END_SECONDS = STOP_SECONDS + 5.0
HELD, BRIEF = 4, 5
SHORT = 12
FOLLOWERS = 20


@pytest.fixture(scope="module")
async def rolling(two_workers: Live) -> Live:
    """With tools that say nothing of whether they may be called twice."""
    await two_workers.register_mcp_server("double")
    return two_workers


async def replaced(live: Live, part: str) -> float:
    """End a part with SIGTERM; gives the seconds it took, once another runs in its place."""
    old, begun = live.pid_of(part), time.monotonic()
    os.kill(old, signal.SIGTERM)

    async def is_gone() -> bool:
        return not Path(f"/proc/{old}").exists()

    async def has_successor() -> bool:
        return live.pid_of(part) != old

    await until(is_gone)
    seconds = time.monotonic() - begun
    await until(has_successor)
    return seconds


def waits(file: Path, seconds: float) -> dict[str, Any]:
    """Arguments of a call that must not be made twice; ``file`` has a byte for each time it was."""
    return {"begun": str(file), "cancelled": f"{file}-not", "seconds": seconds}


async def test_workers_replaced_one_by_one_lose_nothing_and_do_nothing_twice(
    rolling: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    safe = [held(f"held{number}") for number in range(HELD)]
    in_code, endless = a_while(), Endless("I will ", "write ")
    code = {
        "language": "python",
        "source": "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])",
        "args": [in_code],
    }
    talks = {
        "call": models.conversation(asks(("run_code", code)), finishes()),
        "answer": models.conversation(endless, finishes()),
        "unsafe": models.conversation(
            asks(("mcp.double.wait", waits(tmp_path / "long", 600))), finishes()
        ),
    }
    brief_files = [tmp_path / f"brief-{number}" for number in range(BRIEF)]
    brief = [
        {"id": "only", "tool": "mcp.double.wait", "args": waits(file, 1)} for file in brief_files
    ]
    # Without retries: one that a stop used up would leave its task blocked.
    held_tasks = [await rolling.submit({**step, "retries": 0}) for step, _ in safe]
    agents = {
        name: await rolling.submit_agent(talk.prompt(), model="boundless")
        for name, talk in talks.items()
    }

    async def all_run() -> bool:
        sleep = all(sleeping(word) for _, word in safe) and sleeping(in_code)
        return bool(sleep) and endless.begun.is_set() and (tmp_path / "long").exists()

    await until(all_run)
    # Those end within the time that a stop leaves them, on whichever worker they are.
    brief_tasks = [await rolling.submit({**step, "retries": 0}) for step in brief]
    await until(lambda: asyncio.to_thread(lambda: all(file.exists() for file in brief_files)))
    took, short_tasks = [], []
    for worker in WORKERS:
        restart = asyncio.create_task(replaced(rolling, worker))
        short_tasks += [await _short(rolling, number) for number in range(SHORT)]
        took.append(await restart)
    assert max(took) < allowed(END_SECONDS)

    await asyncio.gather(*(release(word) for _, word in safe), release(in_code))
    for task_id in [*held_tasks, *agents.values(), *short_tasks, *brief_tasks]:
        task = await rolling.ended(task_id)
        assert task["status"] == "completed", task["error"]
    for task_id in held_tasks:
        await _check_attempts(rolling, task_id)
    for task_id in short_tasks:
        task = await rolling.task(task_id)
        assert [file["name"] for file in task["artifacts"]] == ["made.txt"]
    assert [file.read_text() for file in brief_files] == ["."] * BRIEF
    assert (tmp_path / "long").read_text() == "."
    assert "Interrupted" in talks["unsafe"].results()[0]
    assert len(talks["call"].requests) == 2
    assert len(talks["answer"].requests) == 2  # One answer was lost, the other is the end.


async def _short(live: Live, number: int) -> str:
    return await live.submit(
        python(
            "make",
            "import sys; open('made.txt', 'w').write(sys.argv[1])",
            str(number),
            retries=0,
        ),
        python(
            "read",
            "import sys; print(open(sys.argv[1]).read())",
            "${steps.make.files}",
            retries=0,
        ),
    )


async def _check_attempts(live: Live, task_id: str) -> None:
    """It was stopped once, or twice where the other old worker got it; then it ran to its end."""
    *stopped, last = [log["status"] for log in await live.log_of(task_id)]
    assert last == "completed"
    assert set(stopped) == {"failed"}
    assert len(stopped) <= len(WORKERS)


async def test_followers_of_a_task_miss_no_event_when_the_api_is_replaced(
    rolling: Live,
) -> None:
    step, word = held("long")
    task_id = await rolling.submit(python("before", "print(1)"), step, python("after", "print(2)"))

    async def runs() -> bool:
        return bool(sleeping(word))

    await until(runs)
    assert rolling.services.api_url
    seen: list[list[TaskEvent]] = [[] for _ in range(FOLLOWERS)]
    lost: list[str] = []

    async def all_follow() -> bool:
        return all(seen)

    async with Client(rolling.services.api_url) as client, asyncio.TaskGroup() as following:
        for events in seen:
            following.create_task(_follow(client, task_id, events, lost))
        await until(all_follow)
        old = rolling.pid_of("api")
        assert await replaced(rolling, "api") < allowed(END_SECONDS)
        await rolling.recovered("api", old)
        assert len(lost) >= FOLLOWERS
        await release(word)
    assert (await rolling.ended(task_id))["status"] == "completed"
    for events in seen:
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len({len(events) for events in seen}) == 1


async def _follow(client: Client, task_id: str, events: list[TaskEvent], lost: list[str]) -> None:
    async for event in client.events(task_id, on_lost=lost.append):
        events.append(event)  # noqa: PERF401  (it is read while it grows)
