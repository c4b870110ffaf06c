"""Agents that stay on the whole stack, with the offline model: one gives work to another."""

from typing import Any
from uuid import uuid4

from tests.live import Live, until


async def _messages(live: Live, agent_id: str) -> list[dict[str, Any]]:
    answer = await live.http.get(f"/api/v1/agents/{agent_id}/messages")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_child_runs_a_pipeline_for_its_parent_and_reports_the_artifact(live: Live) -> None:
    notes = await live.upload("notes.txt", b"one two three\nfour five\n")
    name, child = f"boss-{uuid4().hex[:8]}", f"counter-{uuid4().hex[:8]}"
    made = await live.http.post("/api/v1/agents", json={"name": name})
    assert made.status_code == 201, made.text
    boss = made.json()["id"]
    body = {
        "content": f"Ask a child named {child} to count the words of notes.",
        "attachments": {"notes": notes},
    }
    sent = await live.http.post(f"/api/v1/agents/{boss}/messages", json=body)
    assert sent.status_code == 202, sent.text
    reports: list[dict[str, Any]] = []

    async def is_reported() -> bool:
        nonlocal reports
        reports = [m for m in await _messages(live, boss) if m["content"].startswith("Done: ")]
        return bool(reports)

    await until(is_reported)
    [report] = reports
    assert report["from_name"] == child
    [reference] = report["attachments"].values()
    file = await live.http.get(f"/api/v1/artifacts/{reference.removeprefix('artifact:')}")
    assert file.json() == {"words": 5}

    [agent] = (await live.http.get(f"/api/v1/agents/{boss}/children")).json()["items"]
    assert (agent["name"], agent["depth"]) == (child, 1)
    notices = [m for m in await _messages(live, agent["id"]) if m["kind"] == "notice"]
    assert len(notices) == 1
    # The task is one like any other.
    listed = (await live.http.get("/api/v1/tasks", params={"text": "count words"})).json()["items"]
    assert [task["status"] for task in listed] == ["completed"]
