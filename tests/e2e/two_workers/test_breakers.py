"""A tool that fails, on two workers: its breaker opens on both, and its fallback answers."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from tests.folders import DOUBLES
from tests.live import Live, until
from workflows.states import FINAL


async def register(live: Live, name: str, *flags: str) -> None:
    args = ["-I", str(DOUBLES / "mcp_stdio.py"), *flags]
    body = {"name": name, "transport": "stdio", "command": sys.executable, "args": args}
    answer = await live.http.post("/api/v1/tools/register", json=body)
    assert answer.status_code == 201, answer.text


async def echo(live: Live) -> str:
    step = {"id": "say", "tool": "mcp.frail.echo", "args": {"text": "hello"}, "retries": 0}
    return await live.submit(step)


async def breakers(live: Live) -> dict[str, dict[str, Any]]:
    answer = await live.http.get("/api/v1/breakers")
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["items"]}


async def test_a_failing_tool_opens_its_breaker_on_two_workers_and_its_fallback_answers(
    two_workers: Live, tmp_path: Path
) -> None:
    live, broken = two_workers, tmp_path / "broken"
    await register(live, "frail", "--once", str(broken))
    await register(live, "sturdy")
    broken.touch()
    task: dict[str, Any] = {"status": "blocked"}
    for _ in range(2 * 3):  # Of so many, one of the two has three.
        if task["status"] != "blocked":
            break
        task = await live.when(await echo(live), _has_ended_or_waits)
    # Without a fallback a step waits, and says for what.
    assert task["status"] not in FINAL
    assert task["sub_tasks"][0]["waits_for"] == "the breaker of mcp:frail"

    change = {"fallback": {"tool": "mcp.sturdy.echo"}}
    answer = await live.http.patch("/api/v1/tools/mcp.frail.echo", json=change)
    assert answer.status_code == 200, answer.text
    await asyncio.sleep(1.1)  # Workers remember tools for a second.
    workers: set[str] = set()
    for _ in range(20):
        tasks = [await live.ended(each) for each in [await echo(live) for _ in range(8)]]
        assert [task["status"] for task in tasks] == ["completed"] * 8
        for task in tasks:
            [log] = await live.log_of(task["task_id"])
            assert log["stdout"] == "hello"
            workers.add(log["worker_id"])
        if len(workers) == 2:
            break
    assert len(workers) == 2
    trace = (await live.http.get(f"/api/v1/tasks/{tasks[0]['task_id']}/trace")).json()
    assert trace["children"][0]["answered_by"] == "mcp.sturdy.echo"
    found = (await breakers(live))["mcp:frail"]
    assert (found["state"], found["opened"]) == ("open", 1)
    assert found["reason"] == "3 of 3 calls failed, the last with mcp-unavailable"

    # A person closes it, and the tool answers for itself.
    broken.unlink()
    (await live.http.post("/api/v1/breakers/mcp:frail/close")).raise_for_status()
    await until(lambda: _answers_itself(live))


def _has_ended_or_waits(task: dict[str, Any]) -> bool:
    return task["status"] in FINAL or any(step["waits_for"] for step in task["sub_tasks"])


async def _answers_itself(live: Live) -> bool:
    task = await live.ended(await echo(live))
    trace = (await live.http.get(f"/api/v1/tasks/{task['task_id']}/trace")).json()
    return task["status"] == "completed" and trace["children"][0]["answered_by"] is None
