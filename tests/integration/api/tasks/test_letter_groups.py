"""Groups of dead letters: how large, how often over time, and at what cost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.api_stage import Stage, pipeline

NOON = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


async def _failed(stage: Stage, team: httpx.AsyncClient, step: str, *ages: timedelta) -> None:
    """A group of letters, by the name of the step that failed, so long before noon."""
    for age in ages:
        definition = pipeline("fail")
        definition = {**definition, "steps": [{**definition["steps"][0], "id": step}]}
        made = await team.post("/tasks", json={"pipeline": definition})
        task_id = made.json()["task_id"]
        await stage.ended(team, task_id)
        await stage.execute(
            "UPDATE dead_letters SET created_at = :at, tokens = 7, cost_usd = 0.5"
            " WHERE task_id = :id",
            at=NOON - age,
            id=UUID(task_id),
        )


async def _groups(team: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = await team.get("/dead-letters/groups", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


def _hours(*hours: float) -> list[timedelta]:
    return [timedelta(hours=each) for each in hours]


async def test_a_group_tells_when_its_letters_came_and_what_they_have_used(stage: Stage) -> None:
    team = await stage.team()
    await _failed(stage, team, "lately", *_hours(0, 0.1, 3))
    await _failed(stage, team, "long", *_hours(1, 24 * 10))
    lately, long = await _groups(team)
    assert lately["buckets"] == {
        "start": "2026-11-29T09:00:00Z",
        "seconds": 3_600,
        "counts": [1, 0, 0, 2],
    }
    assert lately["usage"] == {"tokens": 21, "cost_usd": 1.5}
    assert long["buckets"]["seconds"] == 12 * 3_600
    counts = long["buckets"]["counts"]
    assert (len(counts), counts[0], counts[-1], sum(counts)) == (20, 1, 1, 2)


@pytest.mark.parametrize("limit", [1, 50])
async def test_the_largest_groups_come_first_where_that_is_asked_for(
    stage: Stage, limit: int
) -> None:
    team = await stage.team()
    await _failed(stage, team, "many", *_hours(5, 6, 7))
    await _failed(stage, team, "few", *_hours(1, 2))
    await _failed(stage, team, "one", *_hours(3))
    largest = await _groups(team, order="largest", limit=limit)
    assert [(group["parts"]["step"], group["count"]) for group in largest] == [
        ("many", 3),
        ("few", 2),
        ("one", 1),
    ]
    latest = await _groups(team, limit=limit)
    assert [group["parts"]["step"] for group in latest] == ["few", "one", "many"]


async def test_groups_of_other_states_are_told_in_the_same_way(stage: Stage) -> None:
    team = await stage.team()
    await _failed(stage, team, "gone", *_hours(0, 1))
    [group] = await _groups(team)
    path = f"/dead-letters/{group['example']}/discard"
    assert (await team.post(path, json={"note": "No use."})).is_success
    [still] = await _groups(team)
    [gone] = await _groups(team, state="discarded")
    [both] = await _groups(team, state=["open", "discarded"])
    assert [each["buckets"]["counts"] for each in (still, gone, both)] == [[1], [1], [1, 1]]


async def test_a_cursor_of_the_other_order_is_refused(stage: Stage) -> None:
    team = await stage.team()
    await _failed(stage, team, "a", *_hours(0))
    await _failed(stage, team, "b", *_hours(0))
    page = (await team.get("/dead-letters/groups", params={"limit": 1})).json()
    for order, cursor in (("largest", page["next_cursor"]), ("latest", "!"), ("largest", "MSB4")):
        params = {"order": order, "cursor": cursor}
        assert (await team.get("/dead-letters/groups", params=params)).status_code == 422
