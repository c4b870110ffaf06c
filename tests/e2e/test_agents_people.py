"""What people do to agents while they run: they pause and cancel them."""

import asyncio
import time
from typing import Any

from tests.doubles.scripted_models import Endless, Held, ScriptedModels, Wanted, asks, finishes
from tests.live import Live, a_while, processes_mentioning, sleeping, until
from tests.pressure import allowed

WRITE: Wanted = ("write_file", {"name": "a.txt", "text": "a"})

SLEEP = """
import subprocess, sys, time
subprocess.Popen(["sleep", sys.argv[1]], start_new_session=True)
time.sleep(600)
"""


def states_in(task: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["status"] for step in task["sub_tasks"]}


async def test_a_paused_agent_ends_its_turn_and_waits(
    agents_live: Live, models: ScriptedModels
) -> None:
    held = Held(asks(WRITE))
    talk = models.conversation(held, finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    await asyncio.wait_for(held.begun.wait(), 30)
    assert await agents_live.post(task_id, "pause") < 300
    held.go_on.set()
    paused = await agents_live.when(task_id, lambda task: task["status"] == "paused")
    assert [step["status"] for step in paused["sub_tasks"]] == ["completed"]
    assert len(talk.requests) == 1
    assert await agents_live.post(task_id, "resume") < 300
    assert (await agents_live.ended(task_id))["status"] == "completed"


async def test_cancelling_in_mid_stream_closes_the_connection_to_the_model(
    agents_live: Live, models: ScriptedModels
) -> None:
    endless = Endless("Let me ", "think.")
    talk = models.conversation(endless)
    task_id = await agents_live.submit_agent(talk.prompt())
    await asyncio.wait_for(endless.begun.wait(), 30)
    asked_at = time.monotonic()
    assert await agents_live.post(task_id, "cancel") < 300
    await asyncio.wait_for(endless.left.wait(), 10)
    assert endless.left_at - asked_at < allowed(1)
    task = await agents_live.ended(task_id)
    assert (task["status"], len(talk.requests)) == ("cancelled", 1)


async def test_cancelling_in_mid_tool_leaves_no_process(
    agents_live: Live, models: ScriptedModels
) -> None:
    mark = a_while()
    code = {"language": "python", "source": SLEEP, "args": [mark]}
    talk = models.conversation(asks(("run_code", code), WRITE))
    task_id = await agents_live.submit_agent(talk.prompt())

    async def is_up() -> bool:
        return bool(sleeping(mark))

    async def is_gone() -> bool:
        return not processes_mentioning(mark)

    def is_written(task: dict[str, Any]) -> bool:
        return {"1.2 write_file": "completed"}.items() <= states_in(task).items()

    await until(is_up)
    await agents_live.when(task_id, is_written)
    asked_at = time.monotonic()
    assert await agents_live.post(task_id, "cancel") < 300
    await until(is_gone, seconds=10)
    assert time.monotonic() - asked_at < allowed(1.5)  # A second, and what it takes to look.
    task = await agents_live.ended(task_id)
    assert task["status"] == "cancelled"
    assert states_in(task) == {"1.1 run_code": "cancelled", "1.2 write_file": "completed"}
    assert [artifact["name"] for artifact in task["artifacts"]] == ["a.txt"]


async def test_a_cancelled_agent_goes_on_when_it_is_retried(
    agents_live: Live, models: ScriptedModels
) -> None:
    endless = Endless("Hm.")
    talk = models.conversation(asks(WRITE), endless, finishes())
    task_id = await agents_live.submit_agent(talk.prompt())
    await asyncio.wait_for(endless.begun.wait(), 30)
    assert await agents_live.post(task_id, "cancel") < 300
    await agents_live.ended(task_id)
    assert await agents_live.post(task_id, "retry") == 202
    task = await agents_live.ended(task_id)
    assert (task["status"], task["run"]) == ("completed", 2)
    assert talk.messages()[-1] == talk.messages(1)[-1]  # Turn 1 was not made again.
    assert [artifact["name"] for artifact in task["artifacts"]] == ["a.txt"]
