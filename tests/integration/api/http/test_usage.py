"""What teams used of models, and what is left of their quota."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from activities.store.usage import MOST_MODELS, set_daily_tokens
from tests.days import day_that_lasts
from tests.integration.api_stage import Stage


async def spend(stage: Stage, team_id: UUID, tokens: int) -> None:
    query = "INSERT INTO team_usage VALUES (:team, :day, :tokens, 0.5)"
    values = {"team": team_id, "day": datetime.now(UTC).date(), "tokens": tokens}
    async with stage.database.writing() as connection:
        await connection.execute(text(query), values)


async def new_team(stage: Stage) -> tuple[httpx.AsyncClient, UUID]:
    team = await stage.team()
    async with stage.database.reading() as connection:
        query = "SELECT id FROM teams ORDER BY created_at DESC LIMIT 1"
        return team, await connection.scalar(text(query))


async def usage(http: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await http.get("/usage")).json())


async def test_a_team_that_used_nothing_has_no_days(stage: Stage) -> None:
    assert await usage(await stage.team()) == {
        "daily_tokens": None,
        "tokens_left": None,
        "days": [],
    }


async def test_a_team_sees_what_it_used_and_what_is_left(stage: Stage) -> None:
    await day_that_lasts()
    team, team_id = await new_team(stage)
    await spend(stage, team_id, 700)
    await set_daily_tokens(stage.database, team_id, 1_000)
    found = await usage(team)
    assert (found["daily_tokens"], found["tokens_left"]) == (1_000, 300)
    today = datetime.now(UTC).date().isoformat()
    [day] = found["days"]
    assert (day["day"], day["tokens"], day["cost_usd"]) == (today, 700, 0.5)
    assert (await usage(await stage.team()))["days"] == []


async def test_a_quota_that_is_overdrawn_leaves_nothing(stage: Stage) -> None:
    await day_that_lasts()
    team, team_id = await new_team(stage)
    await spend(stage, team_id, 1_200)
    await set_daily_tokens(stage.database, team_id, 1_000)
    assert (await usage(team))["tokens_left"] == 0


@pytest.mark.parametrize("days", ["0", "367", "x"])
async def test_days_out_of_range_are_refused(stage: Stage, days: str) -> None:
    assert (await stage.http.get("/usage", params={"days": days})).status_code == 422


async def of_model(stage: Stage, team_id: UUID, model: str, tokens: int, cost_usd: float) -> None:
    query = "INSERT INTO model_usage VALUES (:team, :day, :model, :tokens, 10, :cost)"
    day = datetime.now(UTC).date()
    values = {"team": team_id, "day": day, "model": model, "tokens": tokens, "cost": cost_usd}
    async with stage.database.writing() as connection:
        await connection.execute(text(query), values)


async def test_a_day_is_told_by_model_and_what_is_left_has_no_name(stage: Stage) -> None:
    await day_that_lasts()
    team, team_id = await new_team(stage)
    await spend(stage, team_id, 700)
    await of_model(stage, team_id, "small", 90, 0.125)
    await of_model(stage, team_id, "large", 390, 0.25)
    [day] = (await usage(team))["days"]
    found = [(each["model"], each["tokens"], each["cost_usd"]) for each in day["models"]]
    assert found == [("large", 400, 0.25), ("small", 100, 0.125), (None, 200, 0.125)]
    assert day["models"][0]["prompt_tokens"] == 390
    assert day["models"][-1]["completion_tokens"] is None


async def test_models_that_add_up_to_the_day_leave_no_rest(stage: Stage) -> None:
    await day_that_lasts()
    team, team_id = await new_team(stage)
    await spend(stage, team_id, 100)
    await of_model(stage, team_id, "small", 90, 0.5)
    [day] = (await usage(team))["days"]
    assert [each["model"] for each in day["models"]] == ["small"]


async def test_models_of_a_day_are_bounded_and_the_sum_is_not(stage: Stage) -> None:
    await day_that_lasts()
    team, team_id = await new_team(stage)
    count = MOST_MODELS + 5
    await spend(stage, team_id, 100 * count)
    for number in range(count):
        await of_model(stage, team_id, f"m{number:03}", 90, 0.0)
    [day] = (await usage(team))["days"]
    assert len(day["models"]) == MOST_MODELS + 1
    assert sum(each["tokens"] for each in day["models"]) == 100 * count
