"""What is refused of a plan's definition, and where it is said to be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activities.kinds.auto import KIND as AUTO
from activities.kinds.base import Installed
from activities.kinds.plan import KIND as PLAN
from activities.llm.base import ModelOptions, Price
from activities.store.keys import DEFAULT_TEAM
from tests.equipment import equipment, installed
from tests.unit.activities.plans.conftest import BLOBS, DATABASE
from workflows.definitions.auto import Auto
from workflows.definitions.plan import Plan

NO_SCHEMA = {"output_schema": {"type": 5}}
LITTLE = {"limits": {"cost_usd": 0.01}}

BAD: list[tuple[dict[str, Any], str]] = [
    (NO_SCHEMA, "/plan/output_schema/type"),
    (LITTLE, "/plan/limits/cost_usd"),
    ({"agent": NO_SCHEMA}, "/plan/agent/output_schema/type"),
    ({"agent": LITTLE}, "/plan/agent/limits/cost_usd"),
    ({"agent": {"skills": ["nope"]}}, "/plan/agent/skills/0"),
]


@pytest.fixture
def server(tmp_path: Path) -> Installed:
    """One that has a model, of which no price is known."""
    return installed(equipment(DATABASE, BLOBS, tmp_path), ModelOptions(models=("m-1",)))


@pytest.mark.parametrize(("plan", "place"), BAD, ids=[place for _, place in BAD])
async def test_what_is_wrong_with_a_plan_is_said_at_its_place(
    server: Installed, plan: dict[str, Any], place: str
) -> None:
    found = await PLAN.own_problems(server, DEFAULT_TEAM, Plan.model_validate(plan), {})
    assert [problem.pointer for problem in found] == [place]


@pytest.mark.parametrize(("plan", "place"), BAD, ids=[place for _, place in BAD])
async def test_the_plan_of_a_task_that_may_become_one_is_judged_like_a_plan(
    server: Installed, plan: dict[str, Any], place: str
) -> None:
    auto = Auto.model_validate({"plan": plan})
    found = await AUTO.own_problems(server, DEFAULT_TEAM, auto, {})
    assert [problem.pointer for problem in found] == [place]


async def test_the_agent_of_a_task_that_may_become_a_plan_is_pointed_at_as_it_was_written(
    server: Installed,
) -> None:
    auto = Auto.model_validate({"agent": NO_SCHEMA | LITTLE, "plan": {"agent": LITTLE}})
    found = await AUTO.own_problems(server, DEFAULT_TEAM, auto, {})
    assert [problem.pointer for problem in found] == [
        "/agent/output_schema/type",
        "/agent/limits/cost_usd",
        "/plan/agent/limits/cost_usd",
    ]


async def test_the_cost_of_a_plan_is_limited_where_the_prices_are_known(server: Installed) -> None:
    priced = ModelOptions(models=("m-1",), prices={"m-1": Price(1.0, 1.0)})
    plan = Plan.model_validate({**LITTLE, "agent": LITTLE})
    known = replace(server, models=priced)
    assert await PLAN.own_problems(known, DEFAULT_TEAM, plan, {}) == []
