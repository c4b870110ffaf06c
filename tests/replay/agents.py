"""Agents whose histories are kept: everything is the true stack, but for what the model says."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory

from activities.tools.toolbox import REMEMBERED_SECONDS
from tests.doubles.scripted_models import (
    Endless,
    ScriptedModels,
    Wanted,
    asks,
    finishes,
    scripted_models,
)
from tests.live import Live, live_stack
from tests.replay import plans
from tests.replay.marks import CONTENT, NOTE, PROMPT, SECRET, TITLE, WORDS
from tests.temporal_runs import runs_of

# The server then asks a run to continue as new; by itself it does so after 4,096 events.
EVENTS_UNTIL_NEW = 300

SLEEP = {"language": "python", "source": "import time; time.sleep(600)"}


def write(number: int) -> Wanted:
    return "write_file", {"name": f"{number}.txt", "text": f"{CONTENT} {number}"}


def read(number: int) -> Wanted:
    return "read_file", {"file": f"{number}.txt"}


async def _begin(live: Live, models: ScriptedModels, *turns: Sequence[Wanted]) -> str:
    talk = models.conversation(*(asks(*calls, text=WORDS) for calls in turns), finishes(WORDS))
    return await live.submit_agent(talk.prompt(f"{TITLE} {PROMPT}"))


async def _short(live: Live, models: ScriptedModels) -> str:
    return await _begin(live, models, [write(1)], [read(1)])


async def _many_turns(live: Live, models: ScriptedModels, turns: int) -> str:
    """Each but the first makes two calls side by side."""
    return await _begin(
        live, models, [write(0)], *([write(n), read(n - 1)] for n in range(1, turns))
    )


async def _long(live: Live, models: ScriptedModels) -> str:
    return await _many_turns(live, models, 16)


async def _continued(live: Live, models: ScriptedModels) -> str:
    return await _many_turns(live, models, 22)


async def _cancelled(live: Live, models: ScriptedModels) -> str:
    task_id = await _begin(live, models, [write(1)], [("run_code", SLEEP), ("run_code", SLEEP)])
    running = ["2.1 run_code", "2.2 run_code"]
    await live.when(task_id, lambda task: _names(task, "running") == running)
    await live.post(task_id, "cancel")
    return task_id


async def _approved(live: Live, models: ScriptedModels) -> str:
    """One call waits for a person while another one is made beside it."""
    asked = {"permission_level": "ask"}
    (await live.http.patch("/api/v1/tools/list_files", json=asked)).raise_for_status()
    await asyncio.sleep(REMEMBERED_SECONDS)  # So long a worker may go by what was.
    task_id = await _begin(live, models, [("list_files", {}), write(1)], [read(1)])
    await live.when(task_id, lambda task: bool(task["status"] == "waiting"))
    await live.post(task_id, "approvals/1.1 list_files", decision="approve", note=NOTE)
    return task_id


async def _held(live: Live, models: ScriptedModels) -> str:
    """Six calls of a minute's sixty may be made at once; the others are held."""
    rate = {"calls_per_minute": 60}
    (await live.http.patch("/api/v1/tools/write_file", json=rate)).raise_for_status()
    await asyncio.sleep(REMEMBERED_SECONDS)  # So long a worker may go by what was.
    task_id = await _begin(live, models, [write(number) for number in range(8)], [read(1)])
    await live.ended(task_id)
    (
        await live.http.patch("/api/v1/tools/write_file", json=dict.fromkeys(rate, 0))
    ).raise_for_status()
    return task_id


async def _routed(live: Live, models: ScriptedModels) -> str:
    """The first answer chooses nothing; the second an agent, which goes on in the next run."""
    chosen = ("create_task", {"type": "agent", "reason": WORDS})
    talk = models.conversation(asks(text=WORDS), asks(chosen), finishes(WORDS))
    return await _submit_auto(live, talk.prompt(f"{TITLE} {PROMPT}"))


async def _routing_cancelled(live: Live, models: ScriptedModels) -> str:
    endless = Endless(WORDS)
    talk = models.conversation(endless)
    task_id = await _submit_auto(live, talk.prompt(f"{TITLE} {PROMPT}"))
    await endless.begun.wait()
    await live.post(task_id, "cancel")
    return task_id


async def _submit_auto(live: Live, prompt: str) -> str:
    answer = await live.http.post("/api/v1/tasks", json={"prompt": prompt})
    return str(answer.raise_for_status().json()["task_id"])


Scene = Callable[[Live, ScriptedModels], Awaitable[str]]

SCENES: dict[str, Scene] = {
    "agent-short": _short,
    "agent-long": _long,
    "agent-cancelled": _cancelled,
    "agent-approved": _approved,
    "agent-continued": _continued,
    "agent-listed": _approved,
    "agent-held": _held,
    "router-chosen": _routed,
    "router-cancelled": _routing_cancelled,
    **plans.SCENES,
}


async def play(names: Collection[str], keep: Callable[[str, WorkflowHistory], None]) -> None:
    """Play these scenes, and have the history of each run kept."""
    scenes = {name: SCENES[name] for name in names}
    await play_on_a_stack(scenes, keep, kind="task", events_until_new=EVENTS_UNTIL_NEW)


async def play_on_a_stack(
    scenes: Mapping[str, Scene],
    keep: Callable[[str, WorkflowHistory], None],
    *,
    kind: str,
    events_until_new: int,
    **environment: str,
) -> None:
    """Play scenes on one stack. Each gives the id of whose workflow it is, a ``kind``."""
    settings = {"limit.historyCount.suggestContinueAsNew": events_until_new}
    folder = Path(tempfile.mkdtemp(prefix="agentos-record-"))
    async with (
        scripted_models() as models,
        live_stack(
            folder,
            temporal=settings,
            OPENAI_BASE_URL=models.url,
            OPENAI_API_KEY=SECRET,
            AGENTOS_MODELS="scripted",
            **environment,
        ) as live,
    ):
        client = await Client.connect(live.services.temporal_address)
        for name, scene in scenes.items():
            workflow_id = f"{kind}-{await scene(live, models)}"
            with suppress(WorkflowFailureError):
                await client.get_workflow_handle(workflow_id).result()
            runs = await runs_of(client, workflow_id)
            for number, run in enumerate(runs, 1):
                keep(name if len(runs) == 1 else f"{name}-{number}", run)


def _names(task: dict[str, Any], status: str) -> Sequence[str]:
    return [step["name"] for step in task["sub_tasks"] if step["status"] == status]
