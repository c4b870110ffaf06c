"""What the API has to do beside its answers, found with one statement."""

from uuid import UUID

from activities.store.database import Database
from activities.store.due import Due, find_due
from activities.store.keys import DEFAULT_TEAM
from tests.integration.activities.store.test_reminders import ask, make, pass_time
from tests.integration.activities.store.test_slots import piece, take
from tests.integration.resident_rows import new_agent, write

NOTHING = Due(
    tasks=False,
    bulk=False,
    slots=False,
    reminders=False,
    deliveries=False,
    groups=False,
    schedules=False,
    begun=False,
    untold=False,
)


async def test_where_nothing_was_ever_done_nothing_is_due(database: Database) -> None:
    assert await find_due(database) == NOTHING


async def test_a_task_is_due_until_it_has_ended(database: Database) -> None:
    await piece(database)
    assert (await find_due(database)).tasks
    await write(database, "UPDATE tasks SET status = 'cancelled'")
    assert await find_due(database) == NOTHING


async def test_a_task_that_waits_for_a_slot_is_due(database: Database) -> None:
    running, waiting = await piece(database), await piece(database)
    await take(database, running)
    assert not (await find_due(database)).slots
    await take(database, waiting)
    assert (await find_due(database)).slots


async def test_a_reminder_is_due_when_its_time_has_come(database: Database) -> None:
    await ask(database, await make(database), after="1h")
    assert await find_due(database) == NOTHING
    await pass_time(database, 3_601.0)
    assert (await find_due(database)).reminders


async def test_a_delivery_is_due_when_its_time_has_come_and_it_is_not_delivered(
    database: Database,
) -> None:
    task = await piece(database)
    await _deliver(database, task.task_id, "'1 hour'")
    assert not (await find_due(database)).deliveries
    await write(database, "UPDATE webhook_deliveries SET next_at = now()")
    assert (await find_due(database)).deliveries
    await write(database, "UPDATE webhook_deliveries SET state = 'delivered'")
    assert not (await find_due(database)).deliveries


async def test_a_bulk_run_is_due_until_it_has_ended_and_its_tasks_have(database: Database) -> None:
    task = await piece(database)
    await write(
        database,
        "INSERT INTO bulk_runs"
        " (id, team_id, action, actor, request, canary, rate, reason, note, next_at, state)"
        " VALUES (:id, :team, 'retry', 'me', '{}', 0, 60, '', '', now() + interval '1 hour',"
        " 'running')",
        id=UUID(int=1),
        team=DEFAULT_TEAM,
    )
    assert (await find_due(database)).bulk
    await write(database, "UPDATE bulk_runs SET state = 'aborted'")
    assert not (await find_due(database)).bulk
    await write(
        database,
        "INSERT INTO bulk_items (bulk_id, number, task_id, run, state)"
        " VALUES (:id, 1, :task, 1, 'requeued')",
        id=UUID(int=1),
        task=task.task_id,
    )
    assert (await find_due(database)).bulk


async def test_a_task_of_an_agent_is_due_until_it_was_started_and_its_end_told(
    database: Database,
) -> None:
    agent = await make(database)
    await piece(database)
    assert not (await find_due(database)).begun
    await write(database, "UPDATE tasks SET agent_id = :agent", agent=agent)
    assert (await find_due(database)).begun
    await write(database, "UPDATE tasks SET status = 'running'")
    assert not (await find_due(database)).begun
    await write(database, "UPDATE tasks SET status = 'completed', finished_at = now()")
    assert (await find_due(database)).begun
    await write(database, "UPDATE tasks SET reported_at = finished_at")
    assert not (await find_due(database)).begun


async def test_an_agent_is_untold_until_it_was_told_of_its_last_message(
    database: Database,
) -> None:
    agent = await new_agent(database)
    assert await find_due(database) == NOTHING
    await write(database, "UPDATE agents SET message_seq = 1 WHERE id = :id", id=agent)
    assert (await find_due(database)).untold
    await write(database, "UPDATE agents SET told_seq = 1 WHERE id = :id", id=agent)
    assert await find_due(database) == NOTHING


async def test_a_group_is_due_while_it_talks(database: Database) -> None:
    await write(
        database,
        "INSERT INTO groups (id, team_id, name, mode, limits, message_seq, delivered_seq, round)"
        " VALUES (:id, :team, 'circle', 'open', '{}', 0, 0, 0)",
        id=UUID(int=1),
        team=DEFAULT_TEAM,
    )
    assert await find_due(database) == NOTHING
    await write(database, "UPDATE groups SET thread_id = id, round_at = now()")
    assert (await find_due(database)).groups


async def test_a_schedule_is_due_until_its_row_is_gone(database: Database) -> None:
    await write(
        database,
        "INSERT INTO schedules"
        " (id, team_id, name, every_seconds, time_zone, task, overlap, catch_up_seconds, note,"
        " asked, version, synced_version)"
        " VALUES (:id, :team, 'hourly', 3600, 'UTC', '{}', 'skip', 60, '', '[]', 1, 1)",
        id=UUID(int=1),
        team=DEFAULT_TEAM,
    )
    assert (await find_due(database)).schedules
    await write(database, "UPDATE schedules SET paused_at = now(), deleted_at = now()")
    assert (await find_due(database)).schedules  # Temporal may not know yet.
    await write(database, "DELETE FROM schedules")
    assert await find_due(database) == NOTHING


async def _deliver(database: Database, task_id: UUID, later: str) -> None:
    await write(
        database,
        "INSERT INTO webhook_deliveries"
        " (id, team_id, url, target, task_id, run, type, state, next_at)"
        " VALUES (:id, :team, 'https://a.example', 'a', :task, 1, 'task.completed', 'pending',"
        f" now() + interval {later})",
        id=UUID(int=1),
        team=DEFAULT_TEAM,
        task=task_id,
    )
