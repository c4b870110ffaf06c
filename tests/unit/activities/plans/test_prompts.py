"""What a planner is told of those who work on its nodes."""

from typing import Any

import pytest

from activities.plans.ability import MAX_SERVER_TOOLS_SHOWN, MAX_SERVERS_SHOWN
from activities.plans.prompts import planner_prompt
from activities.skills.section import split
from tests.equipment import TOKENS
from tests.unit.activities.plans.conftest import MakeGround


async def prompt(
    make_ground: MakeGround, definition: dict[str, Any] | None = None, **more: Any
) -> str:
    ground = await make_ground(definition, **more)
    return planner_prompt(ground.ability, ground.plan, ())


async def test_a_planner_is_told_what_its_agents_really_have(make_ground: MakeGround) -> None:
    text = await prompt(make_ground, {"agent": {"limits": {"turns": 12}}}, context_tokens=32_768)
    assert "It holds 32,768 tokens at once" in text
    assert "It takes up to 12 turns" in text
    assert "read_file" in text
    assert (
        "- Tools of the server time (2), all as mcp.time.*: mcp.time.now, mcp.time.convert." in text
    )
    assert "- Tools of the server git (1), all as mcp.git.*: mcp.git.log." in text
    assert "<name>greet</name>" in text
    assert "- Skills (2)" in text


@pytest.mark.parametrize(
    ("agent", "said", "unsaid"),
    [
        ({"tools": []}, "It has no tools.", "read_file"),
        ({"tools": ["read_file"]}, "- Tools (1): read_file.", "mcp.time"),
        ({"tools": ["read_file"]}, "It has no skills.", "<name>greet</name>"),
        ({"skills": []}, "It has no skills.", "<name>greet</name>"),
        ({"skills": ["count"]}, "<name>count</name>", "<name>greet</name>"),
        ({"tools": ["mcp.time.*"]}, "server time (2)", "server git"),
    ],
)
async def test_a_planner_is_told_of_nothing_that_its_agents_do_not_have(
    make_ground: MakeGround, agent: dict[str, Any], said: str, unsaid: str
) -> None:
    text = await prompt(make_ground, {"agent": agent})
    assert said in text
    assert unsaid not in text.partition("What the agent")[2]


async def test_the_limits_of_a_plan_are_told(make_ground: MakeGround) -> None:
    limits = {"tokens": 50_000, "cost_usd": 2, "seconds": 90}
    text = await prompt(make_ground, {"max_nodes": 5, "parallel": 2, "depth": 3, "limits": limits})
    assert "At most 5 nodes, of which 2 run side by side." in text
    assert "50,000 tokens, 2 US dollars and 90 s of work" in text
    assert "2 more levels deep" in text
    assert "No node is split again." in await prompt(make_ground)


async def test_a_planner_is_told_how_finely_to_cut(make_ground: MakeGround) -> None:
    fine = await prompt(make_ground, {"atomicity": "conservative"})
    coarse = await prompt(make_ground, {"atomicity": "relaxed"})
    assert ("Cut finely." in fine, "Prefer one node" in fine) == (True, False)
    assert ("Cut finely." in coarse, "Prefer one node" in coarse) == (False, True)


async def test_however_many_tools_there_are_the_prompt_is_short(make_ground: MakeGround) -> None:
    servers = tuple(f"mcp.server{n}.tool{m}" for n in range(100) for m in range(100))
    text = await prompt(make_ground, servers=servers)
    assert TOKENS.count(text) < 4_000
    assert text.count("- Tools of the server") == MAX_SERVERS_SHOWN
    assert f"{100 - MAX_SERVERS_SHOWN} more servers" in text
    assert f"and {100 - MAX_SERVER_TOOLS_SHOWN} more." in text


async def test_the_list_of_skills_can_be_shortened_for_a_model_that_reads_less(
    make_ground: MakeGround,
) -> None:
    found = split(await prompt(make_ground))
    assert found is not None
    assert [name for name, _ in found[1].entries] == ["count", "greet"]
