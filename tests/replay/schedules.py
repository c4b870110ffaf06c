"""Runs of schedules whose histories are kept: everything is the true stack."""

import tempfile
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory

from tests.live import Live, live_stack, python, until
from tests.replay.marks import CONTENT, NOTE, TITLE
from workflows.schedule_contracts import run_workflow_id

SLEEP = "import time; time.sleep(600)"


async def _make(live: Live, source: str, **more: Any) -> str:
    body = {
        "name": f"{TITLE[:150].strip()} {uuid4()}",
        "cron": "0 0 1 1 *",
        "note": NOTE,
        "task": {
            "pipeline": {
                "name": TITLE[:150].strip(),
                "description": CONTENT,
                "steps": [python("only", source)],
            }
        },
        **more,
    }
    answer = await live.http.post("/api/v1/schedules", json=body)
    return str(answer.raise_for_status().json()["id"])


async def _run(live: Live, schedule_id: str) -> tuple[str, str]:
    """The ids of the workflow of a run and of its task, which is there."""
    answer = await live.http.post(f"/api/v1/schedules/{schedule_id}/run")
    asked = answer.raise_for_status().json()

    async def has_begun() -> bool:
        return (await live.http.get(f"/api/v1/tasks/{asked['task_id']}")).is_success

    await until(has_begun)
    at = datetime.fromisoformat(asked["scheduled_at"])
    return run_workflow_id(UUID(schedule_id), at), asked["task_id"]


async def _completed(live: Live) -> str:
    workflow_id, _ = await _run(live, await _make(live, "print(1)"))
    return workflow_id


async def _failed(live: Live) -> str:
    workflow_id, _ = await _run(live, await _make(live, "raise SystemExit(3)"))
    return workflow_id


async def _cancelled(live: Live) -> str:
    """The next run cancels the one before it."""
    schedule_id = await _make(live, SLEEP, overlap="cancel")
    first, task_id = await _run(live, schedule_id)
    await live.when(task_id, lambda task: bool(task["status"] == "running"))
    _, task_id = await _run(live, schedule_id)
    await live.post(task_id, "cancel")
    return first


SCENES: dict[str, Callable[[Live], Awaitable[str]]] = {
    "schedule-completed": _completed,
    "schedule-listed": _completed,
    "schedule-failed": _failed,
    "schedule-cancelled": _cancelled,
}


async def play(names: Collection[str], keep: Callable[[str, WorkflowHistory], None]) -> None:
    """Play these scenes, and have the history of the run of each kept."""
    folder = Path(tempfile.mkdtemp(prefix="agentos-record-"))
    async with live_stack(folder) as live:
        client = await Client.connect(live.services.temporal_address)
        for name in names:
            handle = client.get_workflow_handle(await SCENES[name](live))
            with suppress(WorkflowFailureError):
                await handle.result()
            keep(name, await handle.fetch_history())
