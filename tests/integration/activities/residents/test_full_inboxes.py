"""An inbox that is full takes no more to do, but what its agent waits for."""

from uuid import UUID

import pytest

from activities.store import group_rows, inbox
from activities.store.database import Database
from activities.store.exchange_ends import settle
from activities.store.inbox import NewMessage, Refused
from activities.store.keys import DEFAULT_TEAM
from tests.integration.group_desk import GroupDesk
from tests.integration.resident_rows import new_agent, new_exchange, read, write
from workflows.states import InboxKind, Status


@pytest.fixture
async def full(database: Database, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """An agent with a full inbox."""
    monkeypatch.setattr(inbox, "MAX_UNREAD", 1)
    agent_id = await new_agent(database, name="asker")
    for expected in (1, Refused.FULL):
        posted = await inbox.post(database, message(agent_id, "do something"))
        assert getattr(posted, "seq", posted) == expected
    return agent_id


def message(agent_id: UUID, content: str, sender: UUID | None = None) -> NewMessage:
    return NewMessage(
        agent_id=agent_id, team_id=DEFAULT_TEAM, content=content, from_agent_id=sender
    )


async def fill(database: Database, agent_id: UUID, unread: int) -> None:
    await write(
        database,
        """
        WITH agent AS (
            UPDATE agents SET message_seq = :unread WHERE id = :id RETURNING id, team_id
        )
        INSERT INTO inbox (id, team_id, agent_id, seq, kind, from_name, to_name, content, mode,
                           hops, round, is_interrupted)
        SELECT gen_random_uuid(), team_id, id, seq, 'message', '', '', 'x', 'queue', 0, 0, false
        FROM agent, generate_series(1, :unread) AS seq
        """,
        id=agent_id,
        unread=unread,
    )


async def end(database: Database, agent_id: UUID, status: Status) -> None:
    """The exchange that answers all that the agent was told."""
    task_id = await new_exchange(database, agent_id, 1, "ask", reply="the answer", status=status)
    await write(
        database,
        "UPDATE inbox SET exchange_id = :id WHERE agent_id = :agent_id",
        id=task_id,
        agent_id=agent_id,
    )
    async with database.writing() as connection:
        await settle(connection, agent_id, task_id, status)


async def last(database: Database, agent_id: UUID) -> tuple[str, str]:
    query = "SELECT kind, content FROM inbox WHERE agent_id = :id ORDER BY seq DESC LIMIT 1"
    [row] = await read(database, query, id=agent_id)
    return row.kind, row.content


async def test_an_inbox_takes_as_many_unread_messages_as_it_may_and_not_one_more(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    await fill(database, agent_id, inbox.MAX_UNREAD - 1)
    last_one = await inbox.post(database, message(agent_id, "the last one"))
    assert getattr(last_one, "seq", last_one) == inbox.MAX_UNREAD
    assert await inbox.post(database, message(agent_id, "too much")) is Refused.FULL
    [row] = await read(
        database,
        "SELECT count(*) FROM inbox WHERE agent_id = :id AND read_at IS NULL",
        id=agent_id,
    )
    assert row.count == inbox.MAX_UNREAD == 10_000


async def test_what_is_read_leaves_room_for_as_many(database: Database, full: UUID) -> None:
    await write(database, "UPDATE inbox SET read_at = now() WHERE agent_id = :id", id=full)
    for expected in (2, Refused.FULL):
        posted = await inbox.post(database, message(full, "something new"))
        assert getattr(posted, "seq", posted) == expected


@pytest.mark.parametrize(("unread", "answers"), [(1, [0, 1]), (2, [0])], ids=["room", "full"])
async def test_a_member_of_a_group_whose_inbox_is_full_has_no_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch, unread: int, answers: list[int]
) -> None:
    monkeypatch.setattr(group_rows, "MAX_UNREAD", 2)
    desk = await GroupDesk.of(database, 2)
    await fill(database, desk.members[1], unread)
    await desk.post("Hello")
    assert await desk.due() == answers


async def test_an_answer_reaches_an_asker_whose_inbox_is_full(
    database: Database, full: UUID
) -> None:
    asked = await new_agent(database)
    await inbox.post(database, message(asked, "what is it?", sender=full))
    await end(database, asked, Status.COMPLETED)
    assert await last(database, full) == (InboxKind.MESSAGE, "the answer")


async def test_a_parent_whose_inbox_is_full_hears_that_its_child_could_not_answer(
    database: Database, full: UUID
) -> None:
    child = await new_agent(database, name="child")
    await write(database, "UPDATE agents SET parent_id = :id WHERE name = 'child'", id=full)
    await inbox.post(database, message(child, "go on"))
    await end(database, child, Status.FAILED)
    kind, content = await last(database, full)
    assert kind == InboxKind.NOTICE
    assert "Your child child could not answer" in content
