"""Housekeeping of agents that stay: deleted ones go whole, and of the others nothing that is
needed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from activities.store import inbox
from activities.store.database import Database
from activities.store.housekeeping.agents import MOST_AGENTS
from activities.store.housekeeping.base import Scope, short_transaction
from activities.store.housekeeping.table import SWEEPS
from activities.store.inbox import NewMessage
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.exchanges import Bounds, read_past
from tests.integration.resident_rows import new_agent, new_exchange, read, write
from workflows.states import Status

ASKED = [{"role": "user", "content": "ask"}, {"role": "assistant", "turn": 1, "content": "said"}]


async def sweep(database: Database, *names: str, days: int = 30) -> None:
    """Whatever is older than so many days."""
    before = datetime.now(UTC) - timedelta(days=days)
    for name in names:
        [each] = [each for each in SWEEPS if each.name == name]
        after = None
        while True:
            scope = Scope(DEFAULT_TEAM, before, after, 100)
            async with short_transaction(database) as connection:
                step = await each.step(connection, scope)
            async with database.writing() as connection:
                assert await each.count_left(connection, scope) >= 0
            if step.is_done:
                break
            after = step.place


async def hold(database: Database, agent_id: UUID, number: int, *, days_ago: int = 40) -> UUID:
    """An exchange with an event, a message to it and a reply."""
    task_id = await new_exchange(database, agent_id, number, "ask", ASKED, reply="said")
    await write(
        database,
        "UPDATE tasks SET finished_at = now() - make_interval(days => :days) WHERE id = :id",
        days=days_ago,
        id=task_id,
    )
    await write(
        database,
        "INSERT INTO events (task_id, seq, team_id, type, data)"
        " SELECT id, 1, team_id, 'turn.started', '{}' FROM tasks WHERE id = :id",
        id=task_id,
    )
    await post(database, agent_id, exchange_id=task_id, is_read=True)
    return task_id


async def post(
    database: Database,
    agent_id: UUID,
    *,
    exchange_id: UUID | None = None,
    is_read: bool = False,
    attachments: dict[str, str] | None = None,
) -> None:
    message = NewMessage(
        agent_id=agent_id,
        team_id=DEFAULT_TEAM,
        content="ask",
        exchange_id=exchange_id,
        is_read=is_read,
        attachments=attachments,
    )
    await inbox.post(database, message)


async def count(database: Database, table: str) -> int:
    [row] = await read(database, f"SELECT count(*) AS n FROM {table}")
    return int(row.n)


async def sum_up(database: Database, agent_id: UUID, through: int) -> None:
    await write(
        database,
        """
        INSERT INTO agent_summaries (agent_id, through, team_id, text, model, tokens, cost_usd)
        SELECT id, :through, team_id, 'all', '', 0, 0 FROM agents WHERE id = :agent_id""",
        agent_id=agent_id,
        through=through,
    )


@pytest.fixture
async def agent_id(database: Database) -> UUID:
    return await new_agent(database)


async def test_a_deleted_agent_goes_with_all_that_is_its_own(
    database: Database, agent_id: UUID
) -> None:
    for number in (1, 2, 3):
        await hold(database, agent_id, number)
    await post(database, agent_id)
    await sum_up(database, agent_id, 2)
    other = await new_agent(database)
    await hold(database, other, 1)
    await write(database, "UPDATE agents SET deleted_at = now() WHERE id = :id", id=agent_id)
    await sweep(database, "deleted_agents", "deleted", "deleted_agents")
    assert [row.id for row in await read(database, "SELECT id FROM agents")] == [other]
    counts = [
        await count(database, table)
        for table in ("tasks", "inbox", "messages", "events", "agent_summaries")
    ]
    assert counts == [1, 1, 2, 1, 0]


async def test_a_deleted_agent_waits_for_its_last_exchange(
    database: Database, agent_id: UUID
) -> None:
    await new_exchange(database, agent_id, 1, "ask", status=Status.RUNNING)
    await write(database, "UPDATE agents SET deleted_at = now()")
    await sweep(database, "deleted_agents", "deleted", "deleted_agents")
    assert await count(database, "agents") == await count(database, "tasks") == 1


async def test_deleted_agents_that_cannot_go_keep_no_later_ones(
    database: Database, agent_id: UUID
) -> None:
    waiting = [agent_id, *[await new_agent(database) for _ in range(MOST_AGENTS)]]
    for each in waiting:
        await new_exchange(database, each, 1, "ask", status=Status.RUNNING)
    await write(database, "UPDATE agents SET deleted_at = now() - interval '1 day'")
    last = await new_agent(database)
    await write(database, "UPDATE agents SET deleted_at = now() WHERE id = :id", id=last)
    await sweep(database, "deleted_agents")
    assert {row.id for row in await read(database, "SELECT id FROM agents")} == set(waiting)


async def test_old_reminders_that_have_ended_go(database: Database, agent_id: UUID) -> None:
    for ended in ("now() - interval '40 days'", "now()", "NULL"):
        await write(
            database,
            f"""
            INSERT INTO reminders (id, team_id, agent_id, content, number, hops, ended_at)
            SELECT gen_random_uuid(), team_id, id, 'water', 1, 0, {ended} FROM agents""",
        )
    await sweep(database, "reminders")
    assert await count(database, "reminders") == 2


async def test_old_messages_go_that_were_read_without_a_turn_and_no_others(
    database: Database, agent_id: UUID
) -> None:
    await post(database, agent_id)
    await post(database, agent_id, is_read=True)
    await hold(database, agent_id, 1)
    kept = await count(database, "inbox") - 1
    await sweep(database, "agent_inbox")
    assert await count(database, "inbox") == kept + 1
    await write(database, "UPDATE inbox SET read_at = read_at - interval '40 days'")
    await sweep(database, "agent_inbox")
    assert await count(database, "inbox") == kept


async def test_an_artifact_of_a_deleted_agent_stays_while_somebody_works_with_it(
    database: Database, agent_id: UUID
) -> None:
    task_id, artifact_id, call_id = await hold(database, agent_id, 1), uuid4(), uuid4()
    await write(
        database,
        """
        INSERT INTO sub_tasks
            (id, team_id, task_id, name, task_type, status, dependencies, input_context,
             retry_count, execution_order)
        SELECT :id, team_id, id, 'call', 'tool', 'completed', '[]', '{}', 0, 0 FROM tasks
        WHERE id = :task_id""",
        id=call_id,
        task_id=task_id,
    )
    await write(
        database,
        """
        INSERT INTO task_artifacts
            (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
        SELECT :id, team_id, id, :call_id, 'file', 'a', 1, 'x', 'x' FROM tasks
        WHERE id = :task_id""",
        id=artifact_id,
        call_id=call_id,
        task_id=task_id,
    )
    other = await new_agent(database)
    user = await new_exchange(database, other, 1, "ask", status=Status.RUNNING)
    await write(
        database,
        "UPDATE tasks SET inputs = jsonb_build_object('a', CAST(:ref AS text)) WHERE id = :id",
        ref=f"artifact:{artifact_id}",
        id=user,
    )
    await write(database, "UPDATE agents SET deleted_at = now() WHERE id = :id", id=agent_id)
    await sweep(database, "deleted_agents", "deleted", "deleted_agents")
    assert await count(database, "task_artifacts") == 1
    await write(database, "UPDATE tasks SET status = 'completed' WHERE id = :id", id=user)
    await sweep(database, "deleted_agents", "deleted", "deleted_agents")
    assert await count(database, "task_artifacts") == 0


async def test_what_was_said_stays_when_calls_and_events_go(
    database: Database, agent_id: UUID
) -> None:
    for number in (1, 2):
        await hold(database, agent_id, number, days_ago=40 if number == 1 else 1)
    await sweep(database, "agent_events", "agent_logs", "agent_conversations", "agent_artifacts")
    assert await count(database, "events") == 1
    assert await count(database, "messages WHERE content <> ''") == 2
    assert await count(database, "inbox") == 2
    past = await read_past(database, agent_id, 3, Bounds(10_000, 1_000))
    assert [(each.prompt, each.reply) for each in past.exchanges] == [("ask", "said")] * 2


async def test_exchanges_go_that_are_summed_up_with_their_messages(
    database: Database, agent_id: UUID
) -> None:
    for number in range(1, 6):
        await hold(database, agent_id, number, days_ago=10 if number == 2 else 40)
    await sum_up(database, agent_id, 3)
    await post(database, agent_id)
    await sweep(database, "agent_tasks", "deleted")
    rows = await read(
        database, "SELECT CAST(definition ->> 'number' AS int) AS n FROM tasks ORDER BY 1"
    )
    assert [row.n for row in rows] == [2, 4, 5]
    assert await count(database, "inbox") == 4


async def test_exchanges_go_that_are_too_far_back_to_be_shown(
    database: Database, agent_id: UUID
) -> None:
    await hold(database, agent_id, 1)
    await hold(database, agent_id, 2)
    await hold(database, agent_id, 202)
    await sweep(database, "agent_tasks", "deleted")
    rows = await read(
        database, "SELECT CAST(definition ->> 'number' AS int) AS n FROM tasks ORDER BY 1"
    )
    assert [row.n for row in rows] == [202]


async def test_the_exchange_that_tells_how_an_agent_is_stays(
    database: Database, agent_id: UUID
) -> None:
    task_id = await hold(database, agent_id, 1)
    await sum_up(database, agent_id, 1)
    await write(database, "UPDATE tasks SET status = 'failed' WHERE id = :id", id=task_id)
    await sweep(database, "agent_tasks", "deleted")
    assert await count(database, "tasks") == 1
    # What it has not read is not lost when somebody has dealt with that.
    await write(database, "UPDATE agents SET exchange_id = NULL")
    await write(database, "UPDATE inbox SET read_at = NULL")
    await sweep(database, "agent_tasks", "deleted")
    assert (await count(database, "tasks"), await count(database, "inbox")) == (0, 1)


async def test_a_file_stays_that_a_message_brings_which_nobody_has_read(
    database: Database, agent_id: UUID
) -> None:
    file_id = uuid4()
    await write(
        database,
        """
        INSERT INTO files (id, team_id, name, size, mime_type, sha256, named_at, created_at)
        SELECT :id, id, 'a', 1, 'x', 'x', now() - interval '90 days', now() - interval '90 days'
        FROM teams""",
        id=file_id,
    )
    await post(database, agent_id, attachments={"a": f"file:{file_id}"})
    await sweep(database, "files")
    assert await count(database, "files") == 1
    await write(database, "UPDATE inbox SET read_at = now()")
    await sweep(database, "files")
    assert await count(database, "files") == 0


async def test_what_was_said_in_groups_goes_once_it_is_old_but_not_in_a_discussion_that_goes_on(
    database: Database,
) -> None:
    agent_id, group_id = await new_agent(database), uuid4()
    old, new, present = uuid4(), uuid4(), uuid4()
    await write(
        database,
        "INSERT INTO groups (id, team_id, name, mode, limits, message_seq, delivered_seq, round,"
        " thread_id) VALUES (:id, :team_id, 'ops', 'open', '{}', 3, 3, 1, :thread_id)",
        id=group_id,
        team_id=DEFAULT_TEAM,
        thread_id=present,
    )
    for seq, (thread_id, days) in enumerate(((old, 40), (new, 2), (present, 40)), 1):
        values = {"group_id": group_id, "thread_id": thread_id, "days": days}
        await write(
            database,
            "INSERT INTO group_messages (id, team_id, group_id, seq, thread_id, round, from_name,"
            " content, digest, hops, created_at) SELECT :thread_id, team_id, id, :seq, :thread_id,"
            " 1, '', 'Hi', '', 0, now() - make_interval(days => :days) FROM groups"
            " WHERE id = :group_id",
            seq=seq,
            **values,
        )
        await write(
            database,
            "INSERT INTO group_turns (thread_id, round, agent_id, group_id, team_id, state,"
            " created_at) SELECT :thread_id, 1, :agent_id, id, team_id, 'spoke',"
            " now() - make_interval(days => :days) FROM groups WHERE id = :group_id",
            agent_id=agent_id,
            **values,
        )
    await sweep(database, "group_messages", "group_turns")
    for table in ("group_messages", "group_turns"):
        rows = await read(database, f"SELECT thread_id FROM {table}")
        assert {row.thread_id for row in rows} == {new, present}
