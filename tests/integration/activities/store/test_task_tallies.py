"""How tasks started and ended is tallied, whoever writes it down, and once."""

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import asyncpg
import pytest

from activities.metrics.definitions import START_SECONDS, TASK_SECONDS
from activities.store.database import Database
from activities.store.database_url import driver_url
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.figures import LIVING, figures, living_tasks, tallies
from activities.store.task_tallies import tally_marks
from workflows.states import Status, TaskType

_INSERT = """
    INSERT INTO tasks
        (id, team_id, type, name, status, run, first_step, event_seq, priority, inputs, created_at)
    VALUES ($1, $2, 'pipeline', 'x', 'pending', 1, 0, 0, 5, '{}', now() - interval '90 seconds')
"""
_START = "UPDATE tasks SET status = 'running', started_at = now() WHERE id = $1"
_END = "UPDATE tasks SET status = $2, finished_at = now() WHERE id = $1"
_RETRY = """
    UPDATE tasks SET status = 'pending', run = run + 1, started_at = NULL, finished_at = NULL,
        updated_at = now() WHERE id = $1
"""


async def counts(database: Database) -> Mapping[tuple[str, str], Mapping[float, int]]:
    return {(each.type, each.outcome): each.counts for each in await tallies(database)}


async def tally(database: Database) -> None:
    while await tally_marks(database, START_SECONDS, TASK_SECONDS):
        pass


@pytest.fixture
async def connection(database: Database) -> asyncpg.Connection:
    connection = await asyncpg.connect(driver_url(database.url))
    yield connection
    await connection.close()


async def test_a_start_and_an_end_are_told_by_how_long_they_took(
    database: Database, connection: asyncpg.Connection
) -> None:
    task = uuid4()
    await connection.execute(_INSERT, task, DEFAULT_TEAM)
    await connection.execute(_START, task)
    await connection.execute(_END, task, "completed")
    assert await counts(database) == {}
    await tally(database)
    await tally(database)
    assert await counts(database) == {
        ("pipeline", "started"): {300.0: 1},
        ("pipeline", "completed"): {0.5: 1},
    }


async def test_a_retry_starts_and_ends_again_and_has_not_waited_since_the_task_was_made(
    database: Database, connection: asyncpg.Connection
) -> None:
    task = uuid4()
    await connection.execute(_INSERT, task, DEFAULT_TEAM)
    for statement in (_START, _END, _RETRY, _START, _END):
        end = ["failed"] if statement == _END else []
        await connection.execute(statement, task, *end)
    # What changes besides is no start and no end.
    await connection.execute("UPDATE tasks SET updated_at = now(), error = '{}'")
    await tally(database)
    found = await counts(database)
    assert found["pipeline", "started"] == {300.0: 1, 0.05: 1}
    assert found["pipeline", "failed"] == {0.5: 2}


async def test_an_end_that_is_rolled_back_is_none(
    database: Database, connection: asyncpg.Connection
) -> None:
    task = uuid4()
    await connection.execute(_INSERT, task, DEFAULT_TEAM)
    await connection.execute(_START, task)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(_END, task, "completed")
    await transaction.rollback()
    await tally(database)
    assert set(await counts(database)) == {("pipeline", "started")}


async def test_several_that_tally_at_once_count_each_mark_once(
    database: Database, connection: asyncpg.Connection
) -> None:
    marks = "INSERT INTO task_marks (type, outcome, seconds) SELECT $1, $2, n FROM generate_series"
    await connection.execute(f"{marks}(1, 12000) AS n", "agent", "completed")
    await connection.execute(f"{marks}(1, 500) AS n", "plan", "failed")
    await asyncio.gather(*(tally(database) for _ in range(4)))
    await tally(database)
    found = await counts(database)
    assert sum(found["agent", "completed"].values()) == 12_000
    assert sum(found["plan", "failed"].values()) == 500
    assert await connection.fetchval("SELECT count(*) FROM task_marks") == 0


async def test_what_has_not_ended_is_counted_by_state_with_the_longest_wait(
    database: Database, connection: asyncpg.Connection
) -> None:
    tasks = [uuid4() for _ in range(4)]
    for task in tasks:
        await connection.execute(_INSERT, task, DEFAULT_TEAM)
    await connection.execute(_START, tasks[0])
    await connection.execute(_START, tasks[1])
    await connection.execute(_END, tasks[1], "completed")
    living = await living_tasks(database)
    assert living.by_state == {
        (TaskType.PIPELINE, Status.PENDING): 2,
        (TaskType.PIPELINE, Status.RUNNING): 1,
    }
    assert 89 < living.longest_wait_seconds < 200
    await connection.execute("DELETE FROM tasks")
    assert (await living_tasks(database)).longest_wait_seconds == 0


async def test_the_longest_wait_is_that_of_the_oldest_where_not_all_are_counted(
    database: Database, connection: asyncpg.Connection
) -> None:
    for _ in range(4):
        await connection.execute(_INSERT, uuid4(), DEFAULT_TEAM)
    oldest = await connection.fetchval("SELECT id FROM tasks ORDER BY ctid DESC LIMIT 1")
    hours_ago = "UPDATE tasks SET created_at = now() - interval '5 hours' WHERE id = $1"
    await connection.execute(hours_ago, oldest)
    living = await living_tasks(database, most=2)
    assert sum(living.by_state.values()) == 2
    assert living.longest_wait_seconds > 4 * 3_600


async def test_tasks_that_have_ended_are_not_looked_at(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("SET enable_seqscan = off")
    statement = str(LIVING).replace(":most", "1000")
    plan = [row[0] for row in await connection.fetch(f"EXPLAIN {statement}")]
    assert any("tasks_living" in line for line in plan), plan
    assert not any("Seq Scan" in line for line in plan), plan


async def test_a_team_that_is_near_its_quota_is_told_by_the_share(
    database: Database, connection: asyncpg.Connection
) -> None:
    used = "INSERT INTO team_usage (team_id, day, tokens, cost_usd) VALUES ($1, $2, 900, 0)"
    today = await connection.fetchval("SELECT (now() AT TIME ZONE 'utc')::date")
    await connection.execute(used, DEFAULT_TEAM, today)
    assert (await figures(database, 0)).quota_used == 0
    assert (await figures(database, 1_000)).quota_used == pytest.approx(0.9)
    await connection.execute("UPDATE teams SET daily_tokens = 9000")
    assert (await figures(database, 1_000)).quota_used == pytest.approx(0.1)
