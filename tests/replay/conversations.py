"""Agents that stay whose histories are kept: everything is true, but for what the model says."""

import asyncio
from collections.abc import Callable, Collection
from uuid import uuid4

from temporalio.client import WorkflowHistory

from activities.tools.toolbox import REMEMBERED_SECONDS
from tests.doubles.scripted_models import Endless, ScriptedModels, asks
from tests.live import Live, until
from tests.replay.agents import SLEEP, Scene, play_on_a_stack, read, write
from tests.replay.marks import NOTE, PROMPT, TITLE, WORDS

# The server then asks a run to continue as new; by itself it does so after 4,096 events.
EVENTS_UNTIL_NEW = 60
# Temporal Web shows which agent it is.
NAME = TITLE[:19]


async def _create(live: Live) -> str:
    answer = await live.http.post("/api/v1/agents", json={"name": f"{NAME} {uuid4().hex[:8]}"})
    return str(answer.raise_for_status().json()["id"])


async def _send(live: Live, agent_id: str, content: str, **more: object) -> None:
    body = {"content": content, **more}
    answer = await live.http.post(f"/api/v1/agents/{agent_id}/messages", json=body)
    answer.raise_for_status()


async def _ask(live: Live, agent_id: str, content: str) -> None:
    """The same, and wait for the reply."""
    url = f"/api/v1/agents/{agent_id}/messages?wait=60"
    answer = await live.http.post(url, json={"content": content}, timeout=70)
    assert answer.status_code == 200, answer.text


async def _when(live: Live, agent_id: str, status: str) -> str:
    """The task of its exchange, once that is in this state."""
    found: list[str] = []

    async def holds() -> bool:
        task_id = (await live.http.get(f"/api/v1/agents/{agent_id}")).json()["task_id"]
        if task_id is None or (await live.task(task_id))["status"] != status:
            return False
        found.append(task_id)
        return True

    await until(holds)
    return found[0]


async def _short(live: Live, models: ScriptedModels) -> str:
    agent_id = await _create(live)
    talk = models.conversation(asks(write(1), text=WORDS), asks(text=WORDS), asks(text=WORDS))
    await _ask(live, agent_id, talk.prompt(PROMPT))
    await _send(live, agent_id, talk.prompt(PROMPT))
    return agent_id


async def _interrupted(live: Live, models: ScriptedModels) -> str:
    agent_id, endless = await _create(live), Endless(WORDS)
    talk = models.conversation(endless, asks(text=WORDS))
    await _send(live, agent_id, talk.prompt(PROMPT))
    await endless.begun.wait()
    await _send(live, agent_id, talk.prompt(PROMPT), mode="interrupt")
    return agent_id


async def _cancelled(live: Live, models: ScriptedModels) -> str:
    """In the midst of a call, as its agent is terminated."""
    agent_id = await _create(live)
    talk = models.conversation(asks(("run_code", SLEEP), text=WORDS))
    await _send(live, agent_id, talk.prompt(PROMPT))
    task_id = await _when(live, agent_id, "running")
    await live.when(task_id, lambda task: bool(task["sub_tasks"]))
    (await live.http.post(f"/api/v1/agents/{agent_id}/terminate", json={})).raise_for_status()
    return agent_id


async def _approved(live: Live, models: ScriptedModels) -> str:
    asked = {"permission_level": "ask"}
    (await live.http.patch("/api/v1/tools/list_files", json=asked)).raise_for_status()
    await asyncio.sleep(REMEMBERED_SECONDS)  # So long a worker may go by what was.
    agent_id = await _create(live)
    talk = models.conversation(asks(("list_files", {}), text=WORDS), asks(text=WORDS))
    await _send(live, agent_id, talk.prompt(PROMPT))
    task_id = await _when(live, agent_id, "waiting")
    await live.post(task_id, "approvals/1.1 list_files", decision="approve", note=NOTE)
    return agent_id


async def _continued(live: Live, models: ScriptedModels) -> str:
    """In the midst of an exchange, and between two."""
    agent_id = await _create(live)
    turns = [asks(write(number), read(number), text=WORDS) for number in range(6)]
    talk = models.conversation(*turns, asks(text=WORDS), asks(write(7)), asks(text=WORDS))
    await _ask(live, agent_id, talk.prompt(PROMPT))
    await _send(live, agent_id, talk.prompt(PROMPT))
    return agent_id


SCENES: dict[str, Scene] = {
    "conversation-short": _short,
    "conversation-interrupted": _interrupted,
    "conversation-cancelled": _cancelled,
    "conversation-approved": _approved,
    "conversation-listed": _approved,
    "conversation-continued": _continued,
}


async def play(names: Collection[str], keep: Callable[[str, WorkflowHistory], None]) -> None:
    """Play these scenes, and have the history of each run kept."""
    scenes = {name: SCENES[name] for name in names}
    await play_on_a_stack(
        scenes,
        keep,
        kind="agent",
        events_until_new=EVENTS_UNTIL_NEW,
        AGENTOS_AGENT_IDLE_SECONDS="2",
    )
