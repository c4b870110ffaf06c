"""A worker that is stopped, as in a rolling restart, is not the fault of what it works on."""

import asyncio
import os
import signal

from tests.doubles.scripted_models import Endless, ScriptedModels, asks, finishes
from tests.live import Live, a_while, held, release, sleeping, until


async def test_a_stopped_worker_costs_no_retry(agents_live: Live, models: ScriptedModels) -> None:
    """A step that allows none, a call of an agent and an answer of its model are done again."""
    step, step_word = held("only")
    call_word = a_while()
    code = {
        "language": "python",
        "source": "import subprocess, sys; subprocess.run(['sleep', sys.argv[1]])",
        "args": [call_word],
    }
    endless = Endless("I will ", "write ")
    talks = [
        models.conversation(asks(("run_code", code)), finishes()),
        models.conversation(endless, finishes()),
    ]
    pipeline = await agents_live.submit({**step, "retries": 0})
    agents = [await agents_live.submit_agent(talk.prompt()) for talk in talks]

    async def all_run() -> bool:
        return bool(sleeping(step_word) and sleeping(call_word)) and endless.begun.is_set()

    await until(all_run)
    stopped = agents_live.pid_of("worker")
    os.kill(stopped, signal.SIGTERM)

    async def is_replaced() -> bool:
        return agents_live.pid_of("worker") != stopped

    await until(is_replaced)
    await asyncio.gather(release(step_word), release(call_word))
    task = await agents_live.ended(pipeline)
    assert task["status"] == "completed", task["error"]
    attempts = [log["status"] for log in await agents_live.log_of(pipeline)]
    assert attempts == ["failed", "completed"]
    for task_id in agents:
        task = await agents_live.ended(task_id)
        assert task["status"] == "completed", task["error"]
