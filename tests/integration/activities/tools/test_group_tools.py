"""The tools with which agents that stay make groups and speak in them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.colleagues.errors import TooManyHops
from activities.groups.errors import GroupNotFound, GroupNotMade, OwnDiscussion
from activities.store.reading.groups import find_group, find_members, groups_of, list_group_messages
from activities.tools.context import AgentContext
from deploy.local.services import Services
from tests.integration.activities.tools.test_resident_tools import Stayer, boss_of, make
from tests.integration.agent_desk import Desk, agent_desk
from workflows.definitions.resident import ResidentLimits
from workflows.errors.tools import ToolArgumentsInvalid


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, skills_folder: Path
) -> AsyncIterator[Desk]:
    async with agent_desk(infrastructure, database_url, bucket, skills_folder) as desk:
        yield desk


@pytest.fixture
async def boss(desk: Desk) -> Stayer:
    return await boss_of(desk)


async def test_an_agent_makes_a_group_of_which_it_is_a_member(boss: Stayer) -> None:
    ann = await make(boss.desk, "ann")
    call = {"name": "crew", "members": ["ann"], "rounds": 2}
    call_id = uuid4()
    for _ in range(2):  # A call may be made twice.
        result = await boss.call("create_group", call_id, **call)
        assert result.error is None, result.error
    [group] = await groups_of(boss.desk.database, ann)
    assert (group.name, group.limits.rounds, group.made_by) == ("crew", 2, boss.id)
    members = (await find_members(boss.desk.database, [group.id]))[group.id]
    assert {member.agent_id for member in members} == {ann, boss.id}


async def test_a_group_that_cannot_be_made_is_refused_with_a_reason(boss: Stayer) -> None:
    await boss.done("create_group", name="crew", members=["boss"])
    taken = await boss.refused("create_group", name="crew", members=["boss"])
    assert isinstance(taken, GroupNotMade)
    assert "of this name" in str(taken)
    unknown = await boss.refused("create_group", name="other", members=["nobody"])
    assert isinstance(unknown, GroupNotMade)
    assert "no agents nobody" in str(unknown)
    alone = await boss.refused("create_group", name="other", members=[])
    assert isinstance(alone, ToolArgumentsInvalid)


async def test_what_an_agent_broadcasts_is_said_once_and_counts_a_hop(desk: Desk) -> None:
    boss = replace(await boss_of(desk), hops=2)
    ann = await make(desk, "ann")
    await boss.done("create_group", name="crew", members=["ann"])
    call_id = uuid4()
    for _ in range(2):
        call = {"group": "crew", "content": "Hello", "attachments": ["notes.txt"]}
        result = await boss.call("broadcast", call_id, **call)
        assert result.error is None, result.error
    [group] = await groups_of(desk.database, ann)
    said, _ = await list_group_messages(desk.database, group.id, None, 10)
    assert [(each.content, each.from_agent_id) for each in said] == [("Hello", boss.id)]
    assert [*(said[0].attachments or {})] == ["notes.txt"]
    async with desk.database.reading(fresh=True) as connection:
        query = text("SELECT agent_id, hops, read_at FROM inbox WHERE group_id = :id")
        rows = (await connection.execute(query, {"id": group.id})).all()
    assert [(row.agent_id, row.hops, row.read_at) for row in rows] == [(ann, 3, None)]


async def test_a_chain_of_broadcasts_ends_at_the_limit_of_hops(desk: Desk) -> None:
    limits = ResidentLimits(hops=2).model_dump()
    boss = replace(await boss_of(desk, limits=limits), hops=2)
    await boss.done("create_group", name="crew", members=["boss"])
    refusal = await boss.refused("broadcast", group="crew", content="Hello")
    assert isinstance(refusal, TooManyHops)


async def test_a_group_is_found_by_its_name_among_ones_own(boss: Stayer) -> None:
    nothing = await boss.refused("broadcast", group="crew", content="Hello")
    assert isinstance(nothing, GroupNotFound)
    assert "create_group makes one" in str(nothing)
    await boss.done("create_group", name="crew", members=["boss"])
    near = await boss.refused("broadcast", group="crw", content="Hello")
    assert "Did you mean 'crew'?" in str(near)


async def test_who_answers_a_group_does_not_begin_another_discussion_in_it(boss: Stayer) -> None:
    await boss.done("create_group", name="crew", members=["boss"])
    [group] = await groups_of(boss.desk.database, boss.id)
    result = await boss.desk.toolbox.call(
        _answering(boss, group.id), "broadcast", {"group": "crew", "content": "Again"}
    )
    assert isinstance(result.error, OwnDiscussion)
    found = await find_group(boss.desk.database, boss.desk.team_id, group.id)
    assert found is not None
    assert found.message_seq == 0


def _answering(agent: Stayer, group_id: UUID) -> AgentContext:
    context = agent.context()
    return replace(context, resident=replace(context.caller, group_id=group_id))
