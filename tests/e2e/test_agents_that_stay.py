"""Agents that stay on the whole stack, with the offline model: one gives work to another."""

from typing import Any
from uuid import uuid4

from tests.live import Live, until

# A minute of waiting, and a moment more.
LONG_SECONDS = 70.0


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


async def test_two_agents_and_a_person_talk_in_a_group_until_it_falls_silent(live: Live) -> None:
    clerk, critic = (f"{role}-{uuid4().hex[:8]}" for role in ("clerk", "critic"))
    for name in (clerk, critic):
        made = await live.http.post("/api/v1/agents", json={"name": name})
        assert made.status_code == 201, made.text
    body = {"name": f"crew-{clerk}", "members": [clerk, critic]}
    group = (await live.http.post("/api/v1/groups", json=body)).json()["id"]
    path = f"/api/v1/groups/{group}/messages"
    asked = await live.http.post(
        path,
        params={"wait": 60},
        json={"content": f"@{clerk}: ask @{critic} to say who is there"},
        timeout=LONG_SECONDS,
    )
    assert asked.status_code == 200, asked.text
    question, passed_on, answer, silence = asked.json()["messages"]
    assert (question["from"], passed_on["from_name"]) == ("user", clerk)
    assert f"@{critic}: say who is there" in passed_on["content"]
    # In the round after, since members are given what was said together.
    assert (answer["from_name"], answer["round"]) == (critic, 2)
    assert clerk in answer["content"]
    assert silence["reason"] == asked.json()["reason"] == "quiet"

    said = await live.http.post(
        path, params={"wait": 60}, json={"content": "Hello, both"}, timeout=LONG_SECONDS
    )
    assert said.status_code == 200, said.text
    words = said.json()["messages"]
    assert {message["from_name"] for message in words[1:-1]} == {clerk, critic}
    shown = (await live.http.get(f"/api/v1/groups/{group}")).json()
    assert shown["thread_id"] is None
    # An agent that stays and is not spoken to costs nothing.
    assert {member["state"] for member in shown["members"]} == {"idle"}
