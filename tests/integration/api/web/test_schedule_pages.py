"""The pages of schedules over HTTP: what is foreign in them stays text of a sane length."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage

HOSTILE = "<script>alert(1)</script>\u202e"
PAGE = {"Accept": "text/html"}
_PAGE_BYTES = 150_000


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        yield stage


async def _make(stage: Stage, source: str) -> dict[str, Any]:
    code = {"language": "shell", "source": source}
    task = {"pipeline": {"name": HOSTILE, "steps": [{"id": "a", "code": code}]}}
    body = {"name": f"<b>{uuid4()}", "every": "1h", "task": task, "note": HOSTILE}
    answer = await stage.http.post("/schedules", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_schedule_of_a_large_hostile_task_is_shown_as_text_and_cut(stage: Stage) -> None:
    made = await _make(stage, HOSTILE + "x = 1\n" * 40_000)
    answer = await stage.http.get(f"{stage.url}/schedules/{made['id']}", headers=PAGE)
    assert answer.status_code == 200
    assert len(answer.content) < _PAGE_BYTES
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


async def test_a_schedule_is_edited_as_it_is(stage: Stage) -> None:
    made = await _make(stage, HOSTILE)
    page = await stage.http.get(f"{stage.url}/schedules/{made['id']}/edit", headers=PAGE)
    assert "<script>alert" not in page.text
    fields = {"name": made["name"], "timing": "cron", "cron": "0 4 * * *", "overlap": "all"}
    text = "pipeline: {name: b, steps: [{id: a, code: {language: shell, source: ls}}]}"
    answer = await stage.http.post(
        f"{stage.url}/schedules/{made['id']}/edit", data={**fields, "task": text}, headers=PAGE
    )
    assert answer.status_code == 303
    changed = (await stage.http.get(f"/schedules/{made['id']}")).json()
    assert (changed["cron"], changed["every"], changed["time_zone"]) == ("0 4 * * *", None, "UTC")
    assert (changed["overlap"], changed["note"]) == ("all", "")
    assert changed["task"]["pipeline"]["name"] == "b"


async def test_what_is_done_on_a_page_is_in_the_audit_log(stage: Stage) -> None:
    made = await _make(stage, "print x")
    for act in ("pause", "resume", "delete"):
        answer = await stage.http.post(f"{stage.url}/schedules/{made['id']}/{act}", headers=PAGE)
        assert answer.status_code == 303, act
    found = (await stage.http.get("/audit", params={"target": made["id"]})).json()["items"]
    actions = [entry["action"] for entry in found]
    assert actions[:3] == ["schedule.deleted", "schedule.resumed", "schedule.paused"]


async def test_a_page_of_what_is_not_there_says_so(stage: Stage) -> None:
    for path in (f"/schedules/{uuid4()}", f"/schedules/new?from={uuid4()}"):
        answer = await stage.http.get(f"{stage.url}{path}", headers=PAGE)
        assert answer.status_code == 404
        assert "<h1>Not Found</h1>" in answer.text
