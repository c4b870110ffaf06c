"""A schedule whose worker, API and Temporal are restarted while it runs."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from tests.live import Live, python, until


async def _tasks(live: Live, schedule_id: str) -> list[dict[str, Any]]:
    params = {"schedule_id": schedule_id, "limit": 200}
    answer = await live.http.get("/api/v1/tasks", params=params)
    return list(answer.raise_for_status().json()["items"])


async def test_no_run_of_a_schedule_is_lost_or_doubled_while_parts_are_restarted(
    live: Live,
) -> None:
    task = {"pipeline": {"name": "tick", "steps": [python("only", "print(1)")]}}
    body = {"name": f"tick-{uuid4()}", "every": "1s", "overlap": "all", "task": task}
    made = (await live.http.post("/api/v1/schedules", json=body)).raise_for_status().json()
    path = f"/api/v1/schedules/{made['id']}"

    async def runs(count: int) -> None:
        async def are_there() -> bool:
            return len(await _tasks(live, made["id"])) >= count

        await until(are_there)

    await runs(2)
    for part in ("worker", "api", "temporal"):
        await live.recovered(part, live.kill(part))
        await runs(len(await _tasks(live, made["id"])) + 2)
    paused = (await live.http.patch(path, json={"paused": True})).raise_for_status().json()

    found: list[dict[str, Any]] = []

    async def are_whole() -> bool:
        """One for every second, from the first to the last, and all have ended."""
        found[:] = await _tasks(live, made["id"])
        times = sorted(datetime.fromisoformat(task["scheduled_at"]) for task in found)
        gaps = {after - before for before, after in pairwise(times)}
        return gaps == {timedelta(seconds=1)} and all(task["finished_at"] for task in found)

    # It makes no more: what is missing now has been lost.
    await until(are_whole, what=lambda: json.dumps([task["scheduled_at"] for task in found]))
    assert {task["status"] for task in found} == {"completed"}
    assert (paused["left_out"], paused["missed"]) == (0, 0)
    assert (await live.http.delete(path)).status_code == 204
