"""What teams used of models, and what is left of their quota."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from activities.store.usage import set_daily_tokens
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


async def usage(http: httpx.AsyncClient) -> dict[str, object]:
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
    assert found["days"] == [{"day": today, "tokens": 700, "cost_usd": 0.5}]
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
