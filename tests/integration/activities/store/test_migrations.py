"""Migrations: they make the tables as they are declared, and lose no state on the way."""

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from activities.store import migrations, tables, turns
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.migrations.upgrade import config
from activities.store.reading.dead_letters import DeadLetterFilter, list_letters
from activities.store.turns import Turn

assert tables.Task.metadata is SQLModel.metadata


def compared(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_the_migrations_make_the_tables_that_are_declared(empty_database_url: str) -> None:
    await migrations.migrate(empty_database_url)
    engine = create_async_engine(empty_database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(compared) == []
    await engine.dispose()


async def test_a_password_with_a_slash_in_it_is_no_obstacle(empty_database_url: str) -> None:
    url = empty_database_url.replace("@", ":a/b:c@", 1)
    await migrations.migrate(url)
    database = Database(url)
    assert await database.is_current()
    await database.close()


async def test_a_database_of_a_newer_version_is_left_as_it_is(database_url: str) -> None:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await migrations.migrate(database_url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await connection.close()


async def migrate_to(url: str, revision: str) -> None:
    def upgrade(connection: Connection) -> None:
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)

    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


async def add_task(
    url: str, status: str, *events: tuple[str, dict[str, object]], task_type: str = "agent"
) -> UUID:
    """A task as version 2 had it, on which execution ``b`` works, with these events."""
    task_id = uuid4()
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(
        """
        INSERT INTO tasks (id, team_id, type, name, priority, status, definition, inputs, run,
                           first_step, event_seq, executions)
        VALUES ($1, $2, $3, 't', 5, $4, '{}', '{}', 1, 0, $5, '["a", "b"]')""",
        *(task_id, DEFAULT_TEAM, task_type, status, len(events)),
    )
    for seq, (kind, data) in enumerate(events, 1):
        await connection.execute(
            "INSERT INTO events (task_id, seq, team_id, type, data) VALUES ($1, $2, $3, $4, $5)",
            *(task_id, seq, DEFAULT_TEAM, kind, json.dumps(data)),
        )
    await connection.close()
    return task_id


PAUSE, RESUME = ("task.pause_requested", {}), ("task.resume_requested", {})
SAID = ("llm.delta", {"turn": 1, "text": "x"})


async def test_a_pause_that_was_asked_for_in_events_stays_asked_for(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0002")
    asked = [
        await add_task(empty_database_url, "running", PAUSE, RESUME, PAUSE, SAID),
        await add_task(empty_database_url, "pending", PAUSE, task_type="pipeline"),
    ]
    for status, *events in (("running", PAUSE, RESUME), ("running", SAID), ("failed", PAUSE)):
        await add_task(empty_database_url, status, *events)
    await migrations.migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
    found = await connection.fetch("SELECT id FROM tasks WHERE pause_requested_at IS NOT NULL")
    await connection.close()
    assert {row["id"] for row in found} == set(asked)


def lost(turn: int, prompt: int, completion: int, usd: float) -> tuple[str, dict[str, object]]:
    data = {"prompt_tokens": prompt, "completion_tokens": completion, "cost_usd": usd}
    return "usage", {"turn": turn, "tokens": prompt + completion, **data, "is_lost": True}


async def test_usage_lost_in_a_running_turn_is_counted_with_its_answer(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0002")
    begun = ("turn.started", {"turn": 2})
    answered = ("usage", {"turn": 2, "prompt_tokens": 1_000, "completion_tokens": 0})
    before = (("turn.started", {"turn": 1}), lost(1, 500, 1, 9.0), begun, lost(2, 99, 0, 9.0))
    since = (begun, lost(2, 30, 1, 0.5), ("llm.restarted", {"turn": 2}), lost(2, 7, 1, 0.25))
    task_id = await add_task(empty_database_url, "running", *before, *since, answered)
    ended = await add_task(empty_database_url, "failed", *since)
    await migrations.migrate(empty_database_url)
    database = Database(empty_database_url)
    turn = Turn(task_id, 1, 2, 4, "b")
    found = (await turns.begin_turn(database, turn, known=4, is_repeated=True)).lost
    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd) == (37, 2, 0.75)
    await database.close()
    connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
    rows = await connection.fetch("SELECT task_id FROM lost_answers")
    await connection.close()
    assert [row["task_id"] for row in rows] == [task_id] != [ended]


async def test_what_had_ended_badly_before_there_were_dead_letters_has_one(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0007")
    failed = await add_task(empty_database_url, "failed", task_type="pipeline")
    blocked = await add_task(empty_database_url, "blocked")
    for status in ("completed", "cancelled", "running"):
        await add_task(empty_database_url, status)
    connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
    error = json.dumps({"code": "script-failed", "message": "Exit code 7."})
    await connection.execute(
        "UPDATE tasks SET error = $2, finished_at = '2026-01-01Z' WHERE id = $1", failed, error
    )
    await connection.execute(
        """
        INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,
                               input_context, retry_count, execution_order, error)
        VALUES ($1, $2, $3, 'clean', 'skill', 'failed', '[]', '{"skill": "csv-clean"}', 0, 0, $4)
        """,
        *(uuid4(), DEFAULT_TEAM, failed, error),
    )
    await connection.close()
    await migrations.migrate(empty_database_url)
    database = Database(empty_database_url)
    found, _ = await list_letters(database, DEFAULT_TEAM, DeadLetterFilter(), None, 10)
    await database.close()
    of = {letter.task_id: letter for letter in found}
    assert of.keys() == {failed, blocked}
    assert (of[failed].part, of[failed].error.code) == ("clean", "script-failed")
    assert of[failed].created_at.year == 2026
    assert of[failed].parts == {
        "version": 1,
        "type": "pipeline",
        "step": "clean",
        "runs": "csv-clean",
        "code": "script-failed",
        "message": "Exit code #.",
    }
    assert (of[blocked].part, of[blocked].error.code) == (None, "error")


async def indexes_of(connection: asyncpg.Connection) -> dict[str, bool]:
    """Of tasks: by name, whether each is whole."""
    return dict(
        await connection.fetch(
            """SELECT CAST(CAST(indexrelid AS regclass) AS text), indisvalid FROM pg_index
               WHERE indrelid = CAST('tasks' AS regclass)"""
        )
    )


async def has_begun(connection: asyncpg.Connection, name: str) -> None:
    async with asyncio.timeout(30):
        while name not in await indexes_of(connection):
            await asyncio.sleep(0.02)


async def test_tasks_are_written_while_a_migration_builds_an_index_of_them(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0031")
    url = empty_database_url.replace("+asyncpg", "")
    reader, writer = await asyncpg.connect(url), await asyncpg.connect(url)
    async with reader.transaction(isolation="repeatable_read"):
        # PostgreSQL ends no index of rows that somebody may see who does not know of it.
        await reader.fetchval("SELECT count(*) FROM tasks")
        migrating = [asyncio.create_task(migrations.migrate(empty_database_url)) for _ in "ab"]
        await has_begun(writer, "tasks_by_text_of_team")
        await writer.execute("SET lock_timeout = '5s'")
        await add_task(empty_database_url, "running")
        await writer.execute("UPDATE tasks SET status = 'completed'")
        assert not any(task.done() for task in migrating)
    await asyncio.gather(*migrating)
    found = await indexes_of(writer)
    assert "tasks_by_text_of_team" not in found
    assert found["tasks_by_text"]
    assert all(found.values())
    await reader.close()
    await writer.close()


async def test_who_reads_a_task_and_then_writes_it_is_in_no_deadlock_with_a_migration(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0031")
    await add_task(empty_database_url, "running")
    url = empty_database_url.replace("+asyncpg", "")
    migrated = asyncio.Event()

    async def read_and_write() -> int:
        connection, times = await asyncpg.connect(url), 0
        while not migrated.is_set():
            async with connection.transaction():
                await connection.fetchval("SELECT status FROM tasks")
                await asyncio.sleep(0.01)
                await connection.execute("UPDATE tasks SET event_seq = event_seq + 1")
            times += 1
        await connection.close()
        return times

    async with asyncio.TaskGroup() as clients:
        working = [clients.create_task(read_and_write()) for _ in range(4)]
        await migrations.migrate(empty_database_url)
        migrated.set()
    assert all(task.result() for task in working)


async def test_an_index_that_a_killed_migration_has_left_half_built_is_built_anew(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0031")
    connection = await asyncpg.connect(empty_database_url.replace("+asyncpg", ""))
    await connection.execute("CREATE INDEX tasks_by_text_of_team ON tasks (id)")
    await connection.execute(
        """UPDATE pg_index SET indisvalid = false
           WHERE indexrelid = CAST('tasks_by_text_of_team' AS regclass)"""
    )
    await migrations.migrate(empty_database_url)
    definition = await connection.fetchval(
        "SELECT pg_get_indexdef(CAST('tasks_by_text' AS regclass))"
    )
    await connection.close()
    assert "agentos_trigrams" in definition
    assert "team_id" in definition


async def test_a_database_of_long_ago_is_migrated_to_the_end(empty_database_url: str) -> None:
    await migrate_to(empty_database_url, "0014")
    await migrations.migrate(empty_database_url)
    engine = create_async_engine(empty_database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(compared) == []
    await engine.dispose()
