"""An upgrade: a database that the last release has filled, and this version goes on with."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from activities.store import migrations
from activities.store.migrations.upgrade import upgrade
from deploy.local.services import Services
from tests.databases import empty_database
from tests.integration.api_stage import Stage, api_stage

RELEASED = "0025"
ROWS = Path(__file__).parents[1] / "activities" / "store" / f"release_{RELEASED}.sql"
# The last moment in them, but for what was still to come.
RECORDED_AT = datetime(2026, 11, 30, 2, 56, 12, tzinfo=UTC)
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?")
NEVER = 3_600.0  # seconds
# What lists things of a team, whole; and of a task, an agent and a group.
LISTS = (
    *("files", "schedules", "agents", "groups", "agent-templates", "webhooks", "keys", "audit"),
    *("webhooks/deliveries", "dead-letters", "dead-letters/groups", "bulk", "tools", "approvals"),
)
OF_TASKS = ("", "/logs", "/trace", "/messages", "/artifacts", "/inputs")
OF_AGENTS = ("", "/messages", "/notes", "/reminders", "/summaries", "/children")


@pytest.fixture(scope="module")
async def upgraded(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API on the migrated database. Of itself it takes up none of the tasks."""
    resting = {"sweep_interval_seconds": NEVER, "bulk_interval_seconds": NEVER}
    async with empty_database(infrastructure) as url:
        await upgrade(url, RELEASED)
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            # Those that migrations have written are among the rows.
            await connection.execute("DELETE FROM housekeeping; DELETE FROM teams")
            await connection.execute(moved(ROWS.read_text(), datetime.now(UTC) - RECORDED_AT))
        await connection.close()
        await migrations.migrate(url)
        async with api_stage(infrastructure, skills_folder, database_url=url, **resting) as stage:
            yield stage


def moved(rows: str, by: timedelta) -> str:
    """The rows as if they had been written so much later: else questions in them would have
    expired, and a webhook that fails would have done so for longer than it may."""

    def later(found: re.Match[str]) -> str:
        text = found[0]
        return (datetime.fromisoformat(text) + by).isoformat(sep=text[10])

    return _MOMENT.sub(later, rows)


async def listed(stage: Stage, path: str) -> list[dict[str, Any]]:
    answer = await stage.http.get(f"/{path}")
    assert answer.status_code == 200, (path, answer.text)
    return list(answer.json()["items"])


async def named(stage: Stage, name: str) -> str:
    """The id of a task of the last release."""
    [task] = [task for task in await listed(stage, "tasks") if task["name"] == name]
    return str(task["task_id"])


async def test_tasks_of_the_last_release_are_shown_whole(upgraded: Stage) -> None:
    tasks = await listed(upgraded, "tasks")
    found = {(task["type"], task["status"]) for task in tasks}
    assert found >= {
        *(("pipeline", status) for status in ("completed", "failed")),
        *(("agent", status) for status in ("completed", "waiting")),
        *(("plan", status) for status in ("completed", "waiting")),
    }
    for task in tasks:
        for part in OF_TASKS:
            answer = await upgraded.http.get(f"/tasks/{task['task_id']}{part}")
            assert answer.status_code == 200, (task, part, answer.text)
        if task["type"] == "plan":
            answer = await upgraded.http.get(f"/tasks/{task['task_id']}/plan")
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", LISTS)
async def test_after_an_upgrade_the_list_is_not_empty_of(path: str, upgraded: Stage) -> None:
    assert await listed(upgraded, path) != []


async def test_agents_that_stay_and_groups_of_the_last_release_are_shown_whole(
    upgraded: Stage,
) -> None:
    for agent in await listed(upgraded, "agents"):
        for part in OF_AGENTS:
            answer = await upgraded.http.get(f"/agents/{agent['id']}{part}")
            assert answer.status_code == 200, (part, answer.text)
    [group] = await listed(upgraded, "groups")
    assert len(await listed(upgraded, f"groups/{group['id']}/messages")) == 2


async def test_a_task_that_failed_on_the_last_release_is_retried(upgraded: Stage) -> None:
    task_id = await named(upgraded, "broken")
    assert (await upgraded.http.post(f"/tasks/{task_id}/retry")).status_code == 202
    task = await upgraded.until(task_id, "completed")
    assert (task["status"], task["run"]) == ("completed", 2)
    done = {step["name"]: step["status"] for step in task["sub_tasks"]}
    assert done == {"first": "completed", "only": "completed"}


async def test_a_dead_letter_of_the_last_release_is_requeued(upgraded: Stage) -> None:
    task_id = await named(upgraded, "broken thrice")
    [letter] = [
        letter for letter in await listed(upgraded, "dead-letters") if letter["task_id"] == task_id
    ]
    answer = await upgraded.http.post(f"/dead-letters/{letter['id']}/requeue")
    assert answer.status_code == 202, answer.text
    assert (await upgraded.until(task_id, "completed"))["status"] == "completed"


async def test_new_work_is_done_after_an_upgrade(upgraded: Stage) -> None:
    step = {"id": "only", "code": {"language": "shell", "source": "print new"}}
    body = {"type": "pipeline", "pipeline": {"name": "new", "inputs": [], "steps": [step]}}
    answer = await upgraded.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    assert (await upgraded.until(answer.json()["task_id"], "completed"))["status"] == "completed"
