"""Discussions in groups, as they are written down: rounds, order, faults, and who does it at the
same moment."""

import asyncio
import random
from uuid import uuid4

import pytest
from sqlalchemy import text

from activities.store import groups, keys
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.exchanges import BegunExchange
from activities.store.group_messages import NewGroupMessage, Unposted, post_to_group
from activities.store.groups import GroupChange, NewGroup, UnknownMembers, Unwritten
from activities.store.keys import DEFAULT_TEAM
from tests.actors import SOMEBODY
from tests.integration.group_desk import GroupDesk
from tests.integration.resident_rows import new_agent
from workflows.definitions.group import MAX_MEMBERS, GroupLimits
from workflows.states import GroupMode


async def test_a_message_is_given_to_every_member_and_every_reply_to_the_others(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 3)
    posted = await desk.post("Hello")
    assert await desk.due() == [0, 1, 2]
    assert {(each.agent_id, each.seq) for each in posted.woken} == {(m, 1) for m in desk.members}
    await desk.answer(1, "One")
    await desk.answer(0, "Zero")
    # People see replies at once; members once the round is over.
    assert await desk.words() == ["Hello", "One", "Zero"]
    assert await desk.inbox(2) == ["Hello"]
    await desk.answer(2, "(silent)")
    assert await desk.inbox(0) == ["Hello", "One"]
    assert await desk.inbox(1) == ["Hello", "Zero"]
    assert await desk.inbox(2) == ["Hello", "One", "Zero"]
    assert (await desk.group()).round == 2


async def test_a_group_falls_silent_when_nobody_speaks_and_says_why(database: Database) -> None:
    desk = await GroupDesk.of(database, 2)
    posted = await desk.post("Hello")
    await desk.answer(0, "")
    await desk.answer(1, "(silent)")
    assert await desk.words() == ["Hello", "quiet"]
    [_, silence] = await desk.said()
    assert silence.content == "Nobody had anything more to say."
    assert (silence.thread_id, silence.from_agent_id) == (posted.id, None)
    assert (await desk.group()).thread_id is None
    assert [await desk.begin(place) for place in (0, 1)] == [None, None]


async def test_two_that_would_answer_for_ever_are_stopped_by_the_limit_of_rounds(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 2, limits={"rounds": 4})
    await desk.post("Count")
    number = 0
    while await desk.due():
        for place in await desk.due():
            number += 1
            await desk.answer(place, f"No. {number}")
    assert number == 8
    assert (await desk.words())[-1] == "rounds"
    # What was said last is in the inboxes of all, and wakes nobody.
    assert (await desk.inbox(0))[-1] == "No. 8"
    assert [await desk.begin(place) for place in (0, 1)] == [None, None]
    [row] = await desk.rows(
        "SELECT count(*) FROM agents WHERE message_seq > told_seq AND id = :id AND EXISTS"
        " (SELECT FROM inbox WHERE agent_id = agents.id AND read_at IS NULL)",
        id=desk.members[0],
    )
    assert row.count == 0


async def test_two_that_repeat_themselves_are_stopped(database: Database) -> None:
    desk = await GroupDesk.of(database, 2, limits={"rounds": 50})
    await desk.post("Hello")
    rounds = 0
    while await desk.due():
        rounds += 1
        for place in await desk.due():
            await desk.answer(place, f"Thank you, I am {place}!")
    assert rounds == 2
    assert (await desk.words())[-1] == "repeated"


async def test_a_budget_that_is_used_up_ends_the_discussion(database: Database) -> None:
    desk = await GroupDesk.of(database, 2, limits={"tokens": 100})
    await desk.post("Hello")
    for place, tokens in ((0, 60), (1, 40)):
        begun = await desk.begin(place)
        assert begun is not None
        await desk.execute(
            "INSERT INTO messages (task_id, seq, team_id, turn, role, content, is_protected,"
            " execution, prompt_tokens, completion_tokens, cost_usd)"
            " VALUES (:id, 1, :team_id, 1, 'assistant', 'x', false, 'e', :tokens, 0, 0)",
            id=begun.id,
            team_id=DEFAULT_TEAM,
            tokens=tokens,
        )
        await desk.end(place, begun, f"I am {place}")
    assert (await desk.words())[-1] == "tokens"


async def test_in_a_moderated_group_those_named_answer_and_the_others_read_along(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 3, mode=GroupMode.MODERATED, answering=[1])
    posted = await desk.post("Hello")
    assert await desk.due() == [1]
    assert [each.agent_id for each in posted.woken] == [desk.members[1]]
    assert await desk.begin(0) is None
    await desk.answer(1, "One")
    # Nobody who may answer has something new to read.
    assert await desk.words() == ["Hello", "One", "quiet"]
    assert await desk.inbox(0) == ["Hello", "One"]
    [agent] = await desk.rows(
        "SELECT message_seq, told_seq FROM agents WHERE id = :id", id=desk.members[0]
    )
    assert agent.message_seq == agent.told_seq == 2


async def test_what_was_said_meanwhile_is_part_of_what_a_member_reads_next_and_only_then(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 2, mode=GroupMode.MODERATED, answering=[1])
    name = (await desk.group()).name
    await desk.post("Who has the key?")
    await desk.answer(1, "I have")
    change = GroupChange(answering=[str(desk.members[0])])
    assert await groups.change_group(database, SOMEBODY, desk.id, change) is None
    await desk.post("And you?")
    begun = await desk.begin(0)
    assert begun is not None
    [task] = await desk.rows("SELECT prompt FROM tasks WHERE id = :id", id=begun.id)
    other = (await desk.said())[1].from_name
    assert task.prompt.split("\n\n") == [
        f"[meanwhile in group {name}] Ann: Who has the key?",
        f"[meanwhile in group {name}] {other}: I have",
        f"[group {name}] Ann: And you?",
    ]
    await desk.end(0, begun, "No")
    assert await desk.words() == [
        "Who has the key?",
        "I have",
        "quiet",
        "And you?",
        "No",
        "quiet",
    ]
    await desk.post("Thanks")
    begun = await desk.begin(0)
    assert begun is not None
    [task] = await desk.rows("SELECT prompt FROM tasks WHERE id = :id", id=begun.id)
    assert task.prompt == f"[group {name}] Ann: Thanks"


async def test_a_newer_message_ends_the_discussion_and_loses_nothing(database: Database) -> None:
    desk = await GroupDesk.of(database, 3)
    first = await desk.post("First")
    late = await desk.begin(2)
    assert late is not None
    await desk.answer(0, "Zero")
    second = await desk.post("Second")
    assert await desk.words() == ["First", "Zero", "superseded", "Second"]
    assert await desk.inbox(1) == ["First", "Zero", "Second"]
    assert await desk.due() == [0, 1, 2]
    await desk.end(2, late, "Two, about the first")
    assert await desk.due() == [0, 1, 2]
    for place in range(3):
        await desk.answer(place, f"{place}, about the second")
    said = await desk.said()
    assert {message.thread_id for message in said[:3] + said[4:5]} == {first.id}
    assert {message.thread_id for message in (said[3], *said[5:])} == {second.id}
    others = [each.content for each in said if each.reason is None]
    assert await desk.inbox(1) == [each for each in others if each != "1, about the second"]
    assert await desk.due() == [0, 1, 2]


async def test_a_reply_that_comes_when_all_are_silent_is_posted_and_wakes_nobody(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 2)
    await desk.post("Hello")
    late = await desk.begin(1)
    assert late is not None
    await desk.pause(1)
    await desk.answer(0, "")
    await desk.miss()
    assert await desk.words() == ["Hello", "quiet"]
    await desk.pause(1, resume=True)
    await desk.end(1, late, "I was away")
    assert await desk.words() == ["Hello", "quiet", "I was away"]
    assert await desk.inbox(0) == ["Hello", "I was away"]
    assert (await desk.group()).thread_id is None
    assert await desk.begin(0) is None


async def test_a_message_is_posted_once_under_a_key(database: Database) -> None:
    desk = await GroupDesk.of(database, 2)
    first = await desk.post("Hello", client_key="k", request_digest="d")
    again = await desk.post("Hello", client_key="k", request_digest="d")
    assert (again.id, again.seq, again.is_new) == (first.id, first.seq, False)
    other = NewGroupMessage(
        group_id=desk.id,
        team_id=DEFAULT_TEAM,
        id=uuid4(),
        content="Other",
        from_name="Ann",
        client_key="k",
        request_digest="other",
    )
    assert await post_to_group(database, other) is Unposted.KEY_TAKEN
    assert await desk.words() == ["Hello"]


async def test_an_agent_that_begins_a_discussion_is_given_the_answers_and_not_its_own_words(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 3)
    await desk.post("Hello", from_agent_id=desk.members[0], from_name="a0", hops=2)
    assert await desk.due() == [1, 2]
    assert await desk.inbox(0) == []
    await desk.answer(1, "One")
    await desk.answer(2, "")
    assert await desk.due() == [0, 2]
    assert await desk.inbox(0) == ["One"]
    hops = await desk.rows(
        "SELECT hops FROM inbox WHERE agent_id = :id ORDER BY seq", id=desk.members[2]
    )
    assert [row.hops for row in hops] == [2, 3]


async def test_who_is_no_member_cannot_speak_in_a_group(database: Database) -> None:
    desk = await GroupDesk.of(database, 1)
    stranger = await new_agent(database, name=f"stranger-{uuid4()}")
    message = NewGroupMessage(
        group_id=desk.id,
        team_id=DEFAULT_TEAM,
        id=uuid4(),
        content="Hello",
        from_name="x",
        from_agent_id=stranger,
    )
    assert await post_to_group(database, message) is Unposted.NO_MEMBER


# Faults.


async def test_a_group_of_fifty_goes_on_without_one_in_error_and_one_that_is_paused(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 50, limits={"rounds": 2})
    await desk.post("Warm up")
    for place in range(50):
        await desk.answer(place, None if place == 7 else "")
    assert (await desk.words())[-1] == "quiet"
    await desk.pause(9)
    await desk.post("Hello, all fifty")
    assert await desk.due() == [place for place in range(50) if place not in (7, 9)]
    while due := await desk.due():
        for place in due:
            number = (await desk.group()).round
            await desk.answer(place, f"{place} in round {number}")
    assert (await desk.words())[-1] == "rounds"
    spoken = [message.content for message in (await desk.said()) if message.exchange_id]
    assert len(spoken) == len(set(spoken)) == 2 * 48
    # Nor is what they could not answer lost to the two.
    for place in (7, 9):
        assert len(await desk.inbox(place)) == 2 + 2 * 48


@pytest.mark.parametrize("fault", ["paused", "error", "terminated", "removed", "slow"])
async def test_a_round_does_not_wait_for_a_member_that_cannot_answer_any_more(
    database: Database, fault: str
) -> None:
    desk = await GroupDesk.of(database, 3)
    await desk.post("Hello")
    begun = await desk.begin(2)
    assert begun is not None
    await desk.answer(0, "Zero")
    await desk.answer(1, "One")
    await desk.miss()
    assert await desk.due() == [2]
    gone = desk.members[2]
    match fault:
        case "paused":
            await desk.pause(2)
        case "error":
            await desk.end(2, begun, None)
        case "terminated":
            await desk.execute("UPDATE agents SET terminated_at = now() WHERE id = :id", id=gone)
        case "removed":
            names = [str(gone)]
            assert await groups.remove_members(database, SOMEBODY, desk.id, names) is None
        case "slow":
            await desk.execute(
                "UPDATE groups SET round_at = now() - interval '601 seconds' WHERE id = :id",
                id=desk.id,
            )
    await desk.miss()
    group = await desk.group()
    assert (group.round, await desk.due()) == (2, [0, 1] if fault != "slow" else [0, 1, 2])
    [turn] = await desk.rows(
        "SELECT state FROM group_turns WHERE agent_id = :id AND round = 1", id=gone
    )
    assert turn.state == "missed"


async def test_a_group_does_not_wait_for_a_member_that_is_over_its_daily_limit(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 3)
    await desk.execute(
        """UPDATE agents SET definition = '{"limits": {"daily_tokens": 10}}' WHERE id = :id""",
        id=desk.members[2],
    )
    await desk.post("Hello")
    assert await desk.due() == [0, 1, 2]
    await desk.execute(
        """
        INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
        SELECT id, (now() AT TIME ZONE 'utc')::date, team_id, 10, 0 FROM agents WHERE id = :id""",
        id=desk.members[2],
    )
    await desk.miss()
    assert await desk.due() == [0, 1]
    await desk.answer(0, "Zero")
    await desk.answer(1, "One")
    assert ((await desk.group()).round, await desk.due()) == (2, [0, 1])


async def test_who_is_restarted_after_its_round_answers_late_and_revives_nothing(
    database: Database,
) -> None:
    desk = await GroupDesk.of(database, 2)
    await desk.post("Hello")
    await desk.answer(1, None)
    await desk.answer(0, "(silent)")
    assert await desk.words() == ["Hello", "quiet"]
    await desk.execute("UPDATE agents SET exchange_id = NULL WHERE id = :id", id=desk.members[1])
    await desk.answer(1, "Here I am")
    assert await desk.words() == ["Hello", "quiet", "Here I am"]
    assert await desk.due() == []
    assert await desk.begin(0) is None


async def test_a_message_that_nobody_can_answer_says_so_at_once(database: Database) -> None:
    desk = await GroupDesk.of(database, 1)
    await desk.pause(0)
    await desk.post("Hello")
    assert await desk.words() == ["Hello", "nobody"]
    assert await desk.inbox(0) == ["Hello"]


async def test_of_a_group_that_is_deleted_nobody_is_woken_any_more(database: Database) -> None:
    desk = await GroupDesk.of(database, 2)
    await desk.post("Hello")
    begun = await desk.begin(0)
    assert begun is not None
    assert await groups.delete_group(database, SOMEBODY, desk.id)
    assert not await groups.delete_group(database, SOMEBODY, desk.id)
    await desk.end(0, begun, "Too late")
    assert [await desk.begin(place) for place in (0, 1)] == [None, None]


async def test_members_that_end_at_the_same_moment_as_people_post_never_wait_for_each_other(
    database: Database,
) -> None:
    """Two groups with the same members, so that agents are locked from two sides."""
    desk = await GroupDesk.of(database, 5, limits={"rounds": 50})
    other = GroupDesk(database, uuid4(), desk.members)
    new = NewGroup(
        id=other.id,
        name=f"other-{other.id}",
        mode=GroupMode.OPEN,
        limits=GroupLimits(rounds=50),
        members=[str(member) for member in reversed(desk.members)],
    )
    assert await groups.create_group(database, SOMEBODY, new) is None
    randomly = random.Random(11)

    async def member(place: int) -> None:
        for number in range(12):
            begun: BegunExchange | None = await desk.begin(place)
            if begun is not None:
                await desk.end(place, begun, f"{place} says {number}")
            await asyncio.sleep(randomly.random() / 100)

    async def person(where: GroupDesk) -> None:
        for number in range(6):
            await where.post(f"Message {number}")
            await asyncio.sleep(randomly.random() / 50)

    async def passes() -> None:
        for _ in range(10):
            await desk.miss()
            await asyncio.sleep(randomly.random() / 50)

    await asyncio.gather(*map(member, range(5)), person(desk), person(other), passes(), passes())
    for each in (desk, other):
        said = await each.said()
        assert [message.seq for message in said] == list(range(1, len(said) + 1))
        spoken = [m.content for m in said if m.reason is None]
        for place in range(5):
            rows = await each.rows(
                "SELECT content FROM inbox WHERE agent_id = :id AND group_id = :group_id"
                " AND kind = 'message' ORDER BY seq",
                id=each.members[place],
                group_id=each.id,
            )
            given = [row.content for row in rows]
            others = [words for words in spoken if not words.startswith(f"{place} says")]
            assert given == others[: len(given)]
        pairs = await each.rows(
            "SELECT thread_id, round, from_agent_id, count(*) AS count FROM group_messages"
            " WHERE group_id = :id AND from_agent_id IS NOT NULL GROUP BY 1, 2, 3",
            id=each.id,
        )
        assert all(row.count == 1 for row in pairs)


# Groups themselves.


def new_group(*members: str, **more: object) -> NewGroup:
    return NewGroup(
        id=uuid4(),
        name=str(more.get("name", f"group-{uuid4()}")),
        mode=GroupMode.OPEN,
        limits=GroupLimits(),
        members=members,
    )


async def test_members_are_named_by_id_or_name(database: Database) -> None:
    name = f"ann-{uuid4()}"
    ann = await new_agent(database, name=name)
    new = new_group(name, str(ann).upper())
    assert await groups.create_group(database, SOMEBODY, new) is None
    again = await groups.create_group(database, SOMEBODY, new)
    assert again is None
    unknown = await groups.create_group(database, SOMEBODY, new_group("nobody", name))
    assert unknown == UnknownMembers(["nobody"])


async def test_a_name_is_given_once_in_a_team(database: Database) -> None:
    first = new_group()
    assert await groups.create_group(database, SOMEBODY, first) is None
    second = new_group(name=first.name)
    assert await groups.create_group(database, SOMEBODY, second) is Unwritten.NAME_TAKEN


async def test_a_team_has_a_limit_of_groups(database: Database) -> None:
    team_id = await keys.create_team(database, f"team-{uuid4()}")
    actor = Actor(team_id, "somebody")
    async with database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO groups (id, team_id, name, mode, limits, message_seq, delivered_seq,"
                " round) SELECT gen_random_uuid(), :team_id, number::text, 'open', '{}', 0, 0, 0"
                " FROM generate_series(2, :most) AS x(number)"
            ),
            {"team_id": team_id, "most": groups.MAX_GROUPS},
        )
    assert await groups.create_group(database, actor, new_group()) is None
    assert await groups.create_group(database, actor, new_group()) is Unwritten.TOO_MANY


async def test_a_group_has_a_limit_of_members(database: Database) -> None:
    names = [f"m{place}-{uuid4()}" for place in range(MAX_MEMBERS + 1)]
    for name in names:
        await new_agent(database, name=name)
    too_many = await groups.create_group(database, SOMEBODY, new_group(*names))
    assert too_many is Unwritten.TOO_MANY_MEMBERS
    new = new_group(*names[:-1])
    assert await groups.create_group(database, SOMEBODY, new) is None
    added = await groups.add_members(database, SOMEBODY, new.id, [names[-1]])
    assert added is Unwritten.TOO_MANY_MEMBERS


async def test_who_joins_is_given_what_is_said_from_then_on(database: Database) -> None:
    desk = await GroupDesk.of(database, 1)
    await desk.post("Before")
    desk.members.append(await new_agent(database, name=f"late-{uuid4()}"))
    names = [str(desk.members[1])]
    assert await groups.add_members(database, SOMEBODY, desk.id, names) is None
    assert await groups.add_members(database, SOMEBODY, desk.id, names) is None
    await desk.post("After")
    assert await desk.inbox(1) == ["After"]
    assert await desk.due() == [0, 1]
