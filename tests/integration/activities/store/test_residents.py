"""Agents that stay, in the database: made once, within limits, and ended with their children."""

import asyncio
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from sqlalchemy import text

from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import create_team
from activities.store.new_residents import Made, NewResident, NotMade, create_resident
from activities.store.resident_trees import Ended, terminate_tree
from tests.actors import SOMEBODY
from workflows.definitions.resident import MAX_DEPTH, Resident, ResidentLimits
from workflows.resident_states import ChildrenFate

MANY = 10_000


def new(name: str, parent_id: UUID | None = None, children: int = 10, **more: Any) -> NewResident:
    definition = Resident(limits=ResidentLimits(children=children)).model_dump(mode="json")
    more = {"id": uuid5(UUID(int=0), name), **more}
    return NewResident(name=name, definition=definition, parent_id=parent_id, **more)


async def make(database: Database, *given: Any, **more: Any) -> UUID:
    made = await create_resident(database, SOMEBODY, new(*given, **more), most=MANY)
    assert isinstance(made, Made)
    return made.id


async def refused(database: Database, *given: Any, most: int = MANY, **more: Any) -> NotMade:
    made = await create_resident(database, SOMEBODY, new(*given, **more), most=most)
    assert isinstance(made, NotMade)
    return made


async def rows(database: Database, query: str, **values: object) -> list[Any]:
    async with database.reading(fresh=True) as connection:
        return [*(await connection.execute(text(query), values)).all()]


async def alive(database: Database) -> set[str]:
    found = await rows(database, "SELECT name FROM agents WHERE terminated_at IS NULL")
    return {row.name for row in found}


async def places(database: Database) -> dict[str, tuple[str | None, int]]:
    """The name of the parent of each living agent, and its depth."""
    found = await rows(
        database,
        "SELECT agents.name, parents.name AS parent, agents.depth FROM agents"
        " LEFT JOIN agents AS parents ON parents.id = agents.parent_id"
        " WHERE agents.terminated_at IS NULL",
    )
    return {row.name: (row.parent, row.depth) for row in found}


async def test_an_agent_that_is_made_by_many_at_once_is_made_once(database: Database) -> None:
    wanted = new("once")
    made = await asyncio.gather(
        *(create_resident(database, SOMEBODY, wanted, most=MANY) for _ in range(10))
    )
    assert {type(each) for each in made} == {Made}
    assert [each.is_new for each in made if isinstance(each, Made)].count(True) == 1
    assert len(await rows(database, "SELECT id FROM agents")) == 1
    [deed] = await rows(database, "SELECT action, target FROM audit_log")
    assert (deed.action, deed.target) == ("agent.created", str(wanted.id))


async def test_names_raced_for_by_several_are_given_to_one(database: Database) -> None:
    made = await asyncio.gather(
        *(
            create_resident(database, SOMEBODY, new("wanted", id=uuid4()), most=MANY)
            for _ in range(10)
        )
    )
    assert [each for each in made if isinstance(each, NotMade)] == [NotMade.NAME_TAKEN] * 9


async def test_another_team_may_have_an_agent_of_the_same_name(database: Database) -> None:
    await make(database, "common")
    other = Actor(await create_team(database, "other"), "somebody else")
    made = await create_resident(database, other, new("common", id=uuid4()), most=MANY)
    assert isinstance(made, Made)


async def test_a_key_stands_for_one_request(database: Database) -> None:
    keyed: dict[str, Any] = {"idempotency_key": "k", "request_digest": "a"}
    first = await make(database, "keyed", **keyed)
    again = await create_resident(database, SOMEBODY, new("keyed", id=uuid4(), **keyed), most=MANY)
    assert again == Made(first, is_new=False)
    other: dict[str, Any] = {"idempotency_key": "k", "request_digest": "b"}
    assert await refused(database, "another", id=uuid4(), **other) is NotMade.KEY_TAKEN


async def test_a_team_has_as_many_agents_as_it_may(database: Database) -> None:
    await make(database, "a")
    await make(database, "b")
    assert await refused(database, "c", most=2) is NotMade.TOO_MANY


async def test_an_agent_has_as_many_children_as_it_may_and_no_more_levels(
    database: Database,
) -> None:
    parent = await make(database, "level 0", children=1)
    for level in range(1, MAX_DEPTH):
        assert isinstance(await make(database, f"level {level}", parent, children=2), UUID)
        parent = uuid5(UUID(int=0), f"level {level}")
    assert await refused(database, "too deep", parent) is NotMade.TOO_DEEP
    top = uuid5(UUID(int=0), "level 0")
    assert await refused(database, "one more", top) is NotMade.TOO_MANY_CHILDREN
    assert await refused(database, "orphan", uuid4()) is NotMade.PARENT_GONE
    await terminate_tree(database, SOMEBODY, top, children=ChildrenFate.HAND_OVER)
    assert await refused(database, "late", top) is NotMade.PARENT_TERMINATED


async def _tree(database: Database) -> UUID:
    root = await make(database, "root")
    middle = await make(database, "middle", root)
    await make(database, "leaf", middle)
    await make(database, "other leaf", middle)
    await make(database, "beside", root)
    return middle


async def test_a_terminated_agent_takes_its_children_along(database: Database) -> None:
    middle = await _tree(database)
    ended = await terminate_tree(database, SOMEBODY, middle, children=ChildrenFate.TERMINATE)
    assert isinstance(ended, Ended)
    assert len(ended.ids) == 3
    assert await alive(database) == {"root", "beside"}


async def test_children_that_are_handed_over_belong_to_the_parent_of_their_parent(
    database: Database,
) -> None:
    middle = await _tree(database)
    ended = await terminate_tree(database, SOMEBODY, middle, children=ChildrenFate.HAND_OVER)
    assert ended is not None
    assert list(ended.ids) == [middle]
    assert await places(database) == {
        "root": (None, 0),
        "beside": ("root", 1),
        "leaf": ("root", 1),
        "other leaf": ("root", 1),
    }


async def test_children_are_not_handed_over_to_a_parent_that_would_have_too_many(
    database: Database,
) -> None:
    root = await make(database, "root", children=2)
    middle = await make(database, "middle", root)
    await make(database, "beside", root)
    for name in ("leaf", "other leaf"):
        await make(database, name, middle)
    refused = await terminate_tree(database, SOMEBODY, middle, children=ChildrenFate.HAND_OVER)
    assert isinstance(refused, Ended)
    assert not refused.ids
    assert "'root', to which its 2 children" in (refused.reason or "")
    assert len(await alive(database)) == 5
    leaf = uuid5(UUID(int=0), "leaf")
    await terminate_tree(database, SOMEBODY, leaf, children=ChildrenFate.TERMINATE)
    ended = await terminate_tree(database, SOMEBODY, middle, children=ChildrenFate.HAND_OVER)
    assert isinstance(ended, Ended)
    assert list(ended.ids) == [middle]
    assert await alive(database) == {"root", "beside", "other leaf"}


async def test_children_of_an_agent_without_a_parent_are_handed_over_to_nobody(
    database: Database,
) -> None:
    await _tree(database)
    root = uuid5(UUID(int=0), "root")
    await terminate_tree(database, SOMEBODY, root, children=ChildrenFate.HAND_OVER)
    assert await places(database) == {
        "middle": (None, 0),
        "beside": (None, 0),
        "leaf": ("middle", 1),
        "other leaf": ("middle", 1),
    }


async def test_agents_that_are_terminated_from_both_ends_at_once_end_once(
    database: Database,
) -> None:
    middle = await _tree(database)
    root = uuid5(UUID(int=0), "root")
    ended = await asyncio.gather(
        *(
            terminate_tree(database, SOMEBODY, each, children=ChildrenFate.TERMINATE)
            for each in (middle, root, middle, root)
        )
    )
    ids = [agent_id for each in ended if each is not None for agent_id in each.ids]
    assert (len(ids), len(set(ids))) == (5, 5)
    assert await alive(database) == set()


@pytest.mark.parametrize("fate", list(ChildrenFate), ids=str)
async def test_an_agent_of_another_team_is_not_there_to_be_terminated(
    database: Database, fate: ChildrenFate
) -> None:
    middle = await _tree(database)
    other = Actor(await create_team(database, "other"), "somebody else")
    assert await terminate_tree(database, other, middle, children=fate) is None
    assert len(await alive(database)) == 5
