"""Kept results over HTTP: listed, cleared, and what tasks say of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from activities.store import result_cache
from activities.store.attempts import StoredFile
from activities.store.keys import DEFAULT_TEAM
from activities.store.result_cache import Result, Wanted
from tests.integration.api_stage import Stage, pipeline

FILES = (StoredFile("a.csv", 70, "text/csv", "0" * 64), StoredFile("b.png", 7, "image/png", "1"))


async def keep(stage: Stage, team_id: UUID = DEFAULT_TEAM, **place: str) -> None:
    where = {"kind": "skill", "name": "chart", "step": "draw", **place}
    wanted = Wanted(team_id, uuid4().hex, uuid4(), timedelta(hours=1), **where)
    await result_cache.claim(stage.database, wanted, 10)
    await result_cache.keep(stage.database, wanted, Result(0, "secret words", "", FILES))


async def team_of(stage: Stage) -> tuple[httpx.AsyncClient, UUID]:
    team = await stage.team()
    async with stage.database.reading(fresh=True) as connection:
        newest = "SELECT id FROM teams ORDER BY created_at DESC LIMIT 1"
        return team, await connection.scalar(text(newest))


async def listed(http: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await http.get("/cache", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_results_are_listed_newest_first_by_pages_and_without_their_contents(
    stage: Stage,
) -> None:
    team, team_id = await team_of(stage)
    for step in ("one", "two", "three"):
        await keep(stage, team_id, step=step)
    first = await listed(team, limit=2)
    second = await listed(team, limit=2, cursor=first["next_cursor"])
    assert [item["step"] for item in first["items"] + second["items"]] == ["three", "two", "one"]
    assert second["next_cursor"] is None
    [shown] = second["items"]
    assert (shown["kind"], shown["name"], shown["files"], shown["size"]) == (
        "skill",
        "chart",
        2,
        77,
    )
    assert (shown["hits"], shown["last_hit_at"]) == (0, None)
    assert "secret words" not in str(first)


async def test_results_of_another_team_are_neither_listed_nor_cleared(stage: Stage) -> None:
    (one, one_id), (other, _) = await team_of(stage), await team_of(stage)
    await keep(stage, one_id)
    assert (await listed(other))["items"] == []
    assert (await other.post("/cache/clear", json={})).json() == {"cleared": 0}
    assert len((await listed(one))["items"]) == 1


async def test_what_is_being_made_or_has_expired_is_not_listed(stage: Stage) -> None:
    team, team_id = await team_of(stage)
    await keep(stage, team_id)
    await stage.execute(
        "UPDATE result_cache SET expires_at = now() WHERE team_id = :id", id=team_id
    )
    wanted = Wanted(team_id, "0", uuid4(), timedelta(hours=1), "code", "python code", "a")
    await result_cache.claim(stage.database, wanted, 60)
    assert (await listed(team))["items"] == []


async def test_only_what_is_named_is_cleared_and_it_says_how_many(stage: Stage) -> None:
    team, team_id = await team_of(stage)
    await keep(stage, team_id, step="a")
    await keep(stage, team_id, name="csv-clean", step="a")
    await keep(stage, team_id, kind="tool", name="mcp.art.draw", step="b")
    cleared = [
        (await team.post("/cache/clear", json=body)).json()["cleared"]
        for body in ({"skill": "none"}, {"skill": "chart"}, {"tool": "mcp.art.draw"}, {}, {})
    ]
    assert cleared == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"steps": "a"}, "/steps"),
        ({"step": "x" * 64}, "/step"),
        ({"skill": 1}, "/skill"),
        ({"tool": "a\0b"}, "/tool"),
    ],
    ids=["unknown", "long", "number", "nul"],
)
async def test_a_clearing_that_makes_no_sense_is_refused(
    stage: Stage, body: dict[str, object], pointer: str
) -> None:
    answer = await stage.http.post("/cache/clear", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_task_says_which_of_its_steps_were_given_a_result(stage: Stage) -> None:
    task_id = await stage.submit("cached\nprint {}", "print {}")
    task = await stage.until(task_id, "completed")
    assert [step["cached"] for step in task["sub_tasks"]] == [True, False]
    trace = (await stage.http.get(f"/tasks/{task_id}/trace")).json()
    assert [step["cached"] for step in trace["children"]] == [True, False]


async def cache_of(stage: Stage, task_id: str) -> bool:
    async with stage.database.reading(fresh=True) as connection:
        query = text("SELECT cache FROM tasks WHERE id = :id")
        return bool(await connection.scalar(query, {"id": UUID(task_id)}))


async def test_a_task_without_cache_stays_so_until_a_retry_says_otherwise(stage: Stage) -> None:
    assert await cache_of(stage, await stage.submit("print {}"))
    task_id = await stage.submit("fail", cache=False)
    for body, expected in (({}, False), ({"cache": True}, True), ({"cache": False}, False)):
        await stage.until(task_id, "failed")
        answer = await stage.http.post(f"/tasks/{task_id}/retry", json=body)
        assert answer.status_code == 202, answer.text
        assert await cache_of(stage, task_id) is expected


@pytest.mark.parametrize("cache", ["no", 0, None, "1h"], ids=str)
async def test_whether_a_task_uses_the_cache_is_true_or_false(stage: Stage, cache: object) -> None:
    body = {"pipeline": pipeline("print {}"), "cache": cache}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/cache"


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"code": {"language": "shell", "source": "true"}, "cache": "31d"}, "at most 30d"),
        ({"code": {"language": "shell", "source": "true"}, "cache": True}, "write 1h, 7d or false"),
        ({"tool": "list_files", "args": {}, "cache": "1h"}, "results of list_files are not kept"),
    ],
    ids=["long", "true", "tool"],
)
async def test_a_step_that_cannot_be_cached_so_is_refused_at_once(
    stage: Stage, step: dict[str, object], says: str
) -> None:
    body = {"pipeline": {"name": "x", "steps": [{"id": "a", **step}]}}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/pipeline/steps/0/cache"
    assert says in error["message"]
