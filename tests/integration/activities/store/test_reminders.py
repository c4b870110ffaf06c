"""Reminders of agents that stay, in the database: each comes once, whoever looks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.reminders.errors import RemindedAgentGone, ReminderRefused, TooManyReminders
from activities.reminders.options import ReminderLimits
from activities.reminders.setting import set_reminder
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import create_team
from activities.store.new_residents import Made, NewResident, create_resident
from activities.store.reading.reminders import StoredReminder, list_reminders
from activities.store.reminders import cancel_reminder, remind
from tests.actors import SOMEBODY
from workflows.definitions.reminder import ReminderRequest

QUICK = ReminderLimits(least_seconds=1.0, most=3)


@pytest.fixture
async def agent(database: Database) -> UUID:
    return await make(database)


async def make(database: Database, name: str = "keeper") -> UUID:
    made = await create_resident(
        database, SOMEBODY, NewResident(id=uuid4(), name=name, definition={}), most=100
    )
    assert isinstance(made, Made)
    return made.id


async def ask(
    database: Database,
    agent_id: UUID,
    *,
    actor: Actor = SOMEBODY,
    key: UUID | None = None,
    **wanted: Any,
) -> StoredReminder | None:
    return await set_reminder(
        database,
        actor,
        agent_id,
        ReminderRequest.model_validate({"text": "water", **wanted}),
        reminder_id=key or uuid4(),
        limits=QUICK,
    )


async def pass_time(database: Database, seconds: float) -> None:
    """As if so long had gone by since all reminders were set."""
    await change(
        database, "UPDATE reminders SET next_at = next_at - make_interval(secs => :s)", s=seconds
    )


async def change(database: Database, statement: str, **values: object) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement), values)


async def inbox(database: Database, agent_id: UUID) -> list[Any]:
    query = "SELECT * FROM inbox WHERE agent_id = :agent_id ORDER BY seq"
    async with database.reading(fresh=True) as connection:
        return [*(await connection.execute(text(query), {"agent_id": agent_id})).all()]


async def to_come(database: Database, agent_id: UUID) -> list[StoredReminder]:
    found, _ = await list_reminders(database, SOMEBODY.team_id, agent_id, None, 100)
    return list(found)


async def test_a_reminder_has_the_hops_of_the_turn_in_which_an_agent_sets_it(
    database: Database, agent: UUID
) -> None:
    wanted = ReminderRequest.model_validate({"text": "water", "after": "1h"})
    await set_reminder(database, SOMEBODY, agent, wanted, reminder_id=uuid4(), limits=QUICK, hops=5)
    await pass_time(database, 3_600)
    await remind(database, most=10)
    [notice] = await inbox(database, agent)
    assert notice.hops == 5


@pytest.mark.parametrize("is_at", [False, True], ids=["after", "at"])
async def test_only_a_person_sets_a_reminder_for_sooner_than_the_least_interval(
    database: Database, agent: UUID, is_at: bool
) -> None:
    soon = {"at": datetime.now(UTC) + timedelta(seconds=30)} if is_at else {"after": "59s"}
    wanted = ReminderRequest.model_validate({"text": "water", **soon})
    limits = ReminderLimits(least_seconds=60)
    with pytest.raises(ReminderRefused, match="sooner than is allowed here, which is after 60s"):
        await set_reminder(
            database, SOMEBODY, agent, wanted, reminder_id=uuid4(), limits=limits, hops=0
        )
    assert await set_reminder(database, SOMEBODY, agent, wanted, reminder_id=uuid4(), limits=limits)


async def test_a_reminder_comes_to_its_agent_from_itself_when_it_is_due_and_once(
    database: Database, agent: UUID
) -> None:
    await ask(database, agent, after="1h")
    await remind(database, most=10)
    assert await inbox(database, agent) == []
    await pass_time(database, 3_600)
    for _ in range(2):
        await remind(database, most=10)
    [notice] = await inbox(database, agent)
    assert (notice.kind, notice.content) == ("notice", "Reminder: water")
    assert notice.from_agent_id == agent
    assert await to_come(database, agent) == []


async def test_many_apis_that_look_at_once_bring_each_reminder_once(database: Database) -> None:
    agents = [await make(database, f"agent-{number}") for number in range(5)]
    for agent_id in agents:
        for _ in range(3):
            await ask(database, agent_id, every="1h")
    await pass_time(database, 3_600)
    await asyncio.gather(*(remind(database, most=10) for _ in range(6)))
    for agent_id in agents:
        assert [row.seq for row in await inbox(database, agent_id)] == [1, 2, 3]


async def test_reminders_that_were_missed_in_an_outage_come_once_and_keep_their_beat(
    database: Database, agent: UUID
) -> None:
    made = await ask(database, agent, every="1m")
    assert made is not None
    await pass_time(database, 10 * 60 + 30)
    await remind(database, most=10)
    assert len(await inbox(database, agent)) == 1
    [next_one] = await to_come(database, agent)
    # It was due 11 times, of which 10 came to nothing; the beat is the old one.
    assert next_one.number == 1
    waits = next_one.next_at - datetime.now(UTC)
    assert timedelta(0) < waits <= timedelta(minutes=1)
    gone = made.next_at - timedelta(seconds=10 * 60 + 30)
    assert (next_one.next_at - gone).total_seconds() % 60 == pytest.approx(0, abs=0.001)


async def test_a_reminder_whose_last_one_was_not_read_yet_does_not_pile_up(
    database: Database, agent: UUID
) -> None:
    await ask(database, agent, every="1m")
    for _ in range(3):
        await pass_time(database, 60)
        await remind(database, most=10)
    assert len(await inbox(database, agent)) == 1
    await change(database, "UPDATE inbox SET read_at = now()")
    await pass_time(database, 60)
    await remind(database, most=10)
    assert len(await inbox(database, agent)) == 2


async def test_a_reminder_does_not_come_after_its_end(database: Database, agent: UUID) -> None:
    until = datetime.now(UTC) + timedelta(seconds=90)
    await ask(database, agent, every="1m", until=until.isoformat())
    await change(
        database,
        "UPDATE reminders SET next_at = next_at - interval '1m',"
        " until_at = until_at - interval '1m'",
    )
    await remind(database, most=10)
    assert len(await inbox(database, agent)) == 1
    assert await to_come(database, agent) == []


async def test_reminders_of_a_terminated_agent_end(database: Database, agent: UUID) -> None:
    await ask(database, agent, every="1m")
    await change(database, "UPDATE agents SET terminated_at = now()")
    await pass_time(database, 60)
    await remind(database, most=10)
    assert await inbox(database, agent) == []
    assert await to_come(database, agent) == []


async def test_an_agent_whose_inbox_is_full_is_reminded_once_there_is_room(
    database: Database, agent: UUID
) -> None:
    other = await make(database, "other")
    await ask(database, agent, after="1m")
    await ask(database, other, after="1m")
    await change(
        database,
        """
        WITH full_one AS (
            UPDATE agents SET message_seq = 10000 WHERE id = :agent_id
        )
        INSERT INTO inbox (id, team_id, agent_id, seq, kind, from_name, to_name, content, mode,
                           hops, round, is_interrupted)
        SELECT gen_random_uuid(), team_id, id, 1, 'message', '', '', 'x', 'queue', 0, 0, false
        FROM agents WHERE id = :agent_id
        """,
        agent_id=agent,
    )
    await pass_time(database, 60)
    first = await remind(database, most=1)
    assert first.full == {agent}
    await remind(database, most=1, besides=first.full)
    assert len(await inbox(database, other)) == 1
    await change(database, "UPDATE inbox SET read_at = now()")
    await remind(database, most=10)
    assert [row.content for row in await inbox(database, agent)] == ["x", "Reminder: water"]


async def test_a_reminder_that_is_asked_for_twice_under_one_id_is_set_once(
    database: Database, agent: UUID
) -> None:
    key = uuid4()
    first = await ask(database, agent, key=key, every="1h")
    assert await ask(database, agent, key=key, every="1h") == first
    assert await ask(database, agent, key=key, every="2h") is None
    assert len(await to_come(database, agent)) == 1


async def test_an_agent_has_no_more_reminders_than_it_may(database: Database, agent: UUID) -> None:
    for _ in range(QUICK.most):
        await ask(database, agent, after="1h")
    with pytest.raises(TooManyReminders, match="3 reminders"):
        await ask(database, agent, after="1h")
    [first, *_] = await to_come(database, agent)
    assert await cancel_reminder(database, SOMEBODY, agent, first.id)
    assert not await cancel_reminder(database, SOMEBODY, agent, first.id)
    await ask(database, agent, after="1h")


async def test_reminders_of_another_team_are_neither_seen_nor_set_nor_cancelled(
    database: Database, agent: UUID
) -> None:
    mine = await ask(database, agent, after="1h")
    assert mine is not None
    stranger = Actor(await create_team(database, "others"), "stranger")
    with pytest.raises(RemindedAgentGone):
        await ask(database, agent, actor=stranger, after="1h")
    assert not await cancel_reminder(database, stranger, agent, mine.id)
    found, _ = await list_reminders(database, stranger.team_id, agent, None, 10)
    assert found == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"every": "0.5m", "at": "2020-01-01T00:00:00Z"}, "is past"),
        ({"every": "1s", "until": "2020-01-01T00:00:00Z"}, "before it comes first"),
        ({"at": "2999-01-01T00:00:00Z"}, "more than 1830 days"),
    ],
    ids=["past", "ends before", "far ahead"],
)
async def test_a_reminder_that_cannot_come_is_refused(
    database: Database, agent: UUID, wanted: dict[str, str], reason: str
) -> None:
    with pytest.raises(ReminderRefused, match=reason):
        await ask(database, agent, **wanted)
    assert await to_come(database, agent) == []


async def test_a_reminder_may_not_come_more_often_than_is_allowed(
    database: Database, agent: UUID
) -> None:
    wanted = ReminderRequest.model_validate({"text": "x", "every": "59s"})
    with pytest.raises(ReminderRefused, match="every 60s"):
        await set_reminder(
            database, SOMEBODY, agent, wanted, reminder_id=uuid4(), limits=ReminderLimits()
        )
