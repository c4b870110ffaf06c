"""Limits over HTTP: set for a tool, listed for a team, written down as deeds."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from activities.limits.base import Bounds, tool_key
from activities.store import limits, slots
from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM
from activities.store.slots import Piece
from tests.integration.api_stage import Stage
from workflows.definitions.limits import MAX_BOUND


async def limit_of(team: httpx.AsyncClient, name: str) -> dict[str, Any] | None:
    items = (await team.get("/limits")).raise_for_status().json()["items"]
    return next((item for item in items if item["name"] == name), None)


async def change(team: httpx.AsyncClient, **bounds: object) -> httpx.Response:
    return await team.patch("/tools/write_file", json=bounds)


async def test_a_limit_of_a_tool_is_set_listed_and_taken_away_again(stage: Stage) -> None:
    team, other = await stage.team(), await stage.team()
    answer = await change(team, max_running=2, calls_per_minute=60)
    assert (answer.json()["max_running"], answer.json()["calls_per_minute"]) == (2, 60)
    assert await limit_of(team, "tool:write_file") == {
        "name": "tool:write_file",
        "max_running": 2,
        "per_minute": 60,
        "running": 0,
        "waiting": 0,
    }
    assert await limit_of(other, "tool:write_file") is None
    # What is left out stays, and the rest of the tool's settings does.
    answer = await change(team, max_running=0)
    tool = answer.json()
    assert (tool["max_running"], tool["calls_per_minute"], tool["is_active"]) == (None, 60, True)
    await change(team, calls_per_minute=0)
    assert await limit_of(team, "tool:write_file") is None


@pytest.mark.parametrize("value", [-1, 1.5, "2", True, MAX_BOUND + 1])
@pytest.mark.parametrize("field", ["max_running", "calls_per_minute"])
async def test_a_limit_that_makes_no_sense_is_refused(
    stage: Stage, field: str, value: object
) -> None:
    answer = await change(stage.http, **{field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


async def test_changes_of_limits_and_weights_are_deeds(stage: Stage) -> None:
    team = await stage.team()
    await change(team, max_running=3)
    await change(team, is_active=True)
    async with stage.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(
                "SELECT team_id, action, target, details FROM audit_log "
                "WHERE action = 'tool.limited' ORDER BY created_at DESC LIMIT 1"
            )
        )
        [(team_id, *deed)] = [tuple(row) for row in rows]
    assert deed == ["tool.limited", "write_file", {"max_running": 3}]
    actor = Actor(team_id, "somebody")
    await limits.set_max_running(stage.database, actor, 4)
    await limits.set_weight(stage.database, actor, 2.5)
    async with stage.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(
                "SELECT action, target, details FROM audit_log "
                "WHERE team_id = :id AND actor = 'somebody'"
            ),
            {"id": team_id},
        )
        found = {row.action: (row.target, row.details) for row in rows}
    assert found == {
        "team.limited": (str(team_id), {"running": 4}),
        "team.weighted": (str(team_id), {"weight": 2.5}),
    }
    listed = (await team.get("/limits")).json()
    assert listed["weight"] == 2.5
    bounds = {item["name"]: item["max_running"] for item in listed["items"]}
    assert bounds == {"team": 4, "tool:write_file": 3}


async def test_what_runs_and_what_waits_is_counted(stage: Stage) -> None:
    await change(stage.http, max_running=1)
    stage.services.limits.forget()
    known = await stage.services.limits.limits()
    limit = known.by_key[tool_key(DEFAULT_TEAM, "write_file")]
    assert limit.bounds == Bounds(running=1)
    pieces = [
        Piece(uuid4(), uuid4(), UUID(await stage.submit("wait")), 1, "worker-1") for _ in range(3)
    ]
    for piece in pieces:
        await slots.take(stage.database, piece, [limit], known, 60)
    found = await limit_of(stage.http, "tool:write_file")
    assert found
    assert (found["running"], found["waiting"]) == (1, 2)
    for piece in pieces:
        await stage.http.post(f"/tasks/{piece.task_id}/cancel")
        await stage.until(str(piece.task_id), "cancelled")
    await slots.give_back(stage.database, pieces[0].token, known)
    found = await limit_of(stage.http, "tool:write_file")
    assert found
    assert (found["running"], found["waiting"]) == (0, 0)
    await change(stage.http, max_running=0)
