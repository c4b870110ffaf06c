"""Pipelines that a model writes do no more than an agent might."""

from typing import Any

import pytest

from activities.plans.step_checking import problems_with_steps
from tests.unit.activities.plans.conftest import MakeGround
from workflows.definitions.pipeline import Step
from workflows.pointers import Problem

TOOL = {"id": "x", "tool": "mcp.time.now"}
CODE = {"id": "x", "code": {"language": "python", "source": "1"}}
SKILL = {"id": "x", "skill": "greet"}


async def problems(
    make_ground: MakeGround, step: dict[str, Any], agent: dict[str, Any], **more: Any
) -> list[Problem]:
    ground = await make_ground({"agent": agent}, **more)
    steps = [Step.model_validate(step)]
    return list(problems_with_steps(steps, ground.ability, {"greet", "count"}, "/steps"))


@pytest.mark.parametrize("step", [TOOL, CODE, SKILL], ids=["tool", "code", "skill"])
async def test_steps_do_what_an_agent_might(make_ground: MakeGround, step: dict[str, Any]) -> None:
    assert await problems(make_ground, step, {}) == []


@pytest.mark.parametrize(
    ("step", "place"),
    [(TOOL, "/steps/0/tool"), (CODE, "/steps/0/code")],
    ids=["tool", "code"],
)
async def test_steps_do_nothing_that_an_agent_may_not(
    make_ground: MakeGround, step: dict[str, Any], place: str
) -> None:
    [found] = await problems(make_ground, step, {"tools": ["read_file"]})
    assert found.pointer == place
    assert "agents of this plan may not" in found.message


@pytest.mark.parametrize(
    ("step", "asking", "place"),
    [
        (TOOL, "mcp.time.now", "/steps/0/tool"),
        (CODE, "run_code", "/steps/0/code"),
        (SKILL, "run_skill_script", "/steps/0/skill"),
    ],
    ids=["tool", "code", "skill"],
)
async def test_steps_do_not_get_round_the_approval_of_a_person(
    make_ground: MakeGround, step: dict[str, Any], asking: str, place: str
) -> None:
    [found] = await problems(make_ground, step, {}, asking=(asking,))
    assert found.pointer == place
    assert "a person has to approve this each time" in found.message


async def test_code_does_not_get_at_a_skill_that_an_agent_may_not_use(
    make_ground: MakeGround,
) -> None:
    step = {"id": "x", "code": {"language": "python", "source": "1", "skill": "count"}}
    [found] = await problems(make_ground, step, {"skills": ["greet"]})
    assert found == Problem(
        "/steps/0/code/skill", "agents of this plan may not use the skill 'count'"
    )
