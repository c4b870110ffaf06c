"""The row of a step that is held: nothing of the attempt is left, and late comers change none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from activities.store import attempts, tasks
from activities.store.attempts import Attempt
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from tests.integration.activities.store.test_attempts import attempt_at, new_task
from workflows.contracts import TaskClose
from workflows.states import Status

REASON = "a slot of mcp:slow"
LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
async def attempt(database: Database) -> Attempt:
    """The first of the first step of a task, not begun."""
    task = new_task()
    await tasks.create_task(database, task)
    return replace(attempt_at(task.id, "one"), begun_in="an execution")


async def step_of(database: Database, sub_task_id: UUID) -> tuple[object, ...]:
    columns = "status, waits_for, retry_count, started_at IS NOT NULL"
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(f"SELECT {columns} FROM sub_tasks WHERE id = :id"), {"id": sub_task_id}
        )
        return tuple(rows.one())


async def attempts_of(database: Database, sub_task_id: UUID) -> list[tuple[object, ...]]:
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text("SELECT attempt, status FROM execution_logs WHERE sub_task_id = :id"),
            {"id": sub_task_id},
        )
        return [tuple(row) for row in rows]


async def test_a_hold_takes_back_an_attempt_that_has_begun(
    database: Database, attempt: Attempt
) -> None:
    await attempts.begin(database, attempt)
    await attempts.hold(database, attempt, REASON, LATER)
    held = (Status.QUEUED, REASON, 0, False)
    assert await step_of(database, attempt.sub_task_id) == held
    assert await attempts_of(database, attempt.sub_task_id) == []
    begun = await attempts.begin(database, attempt)
    assert (begun.lost, begun.failures) == (0, 0)
    running = (Status.RUNNING, None, 0, True)
    assert await step_of(database, attempt.sub_task_id) == running


async def test_an_attempt_can_be_held_before_it_begins(
    database: Database, attempt: Attempt
) -> None:
    await attempts.hold(database, attempt, REASON, LATER)
    held = (Status.QUEUED, REASON, 0, False)
    assert await step_of(database, attempt.sub_task_id) == held
    assert await attempts_of(database, attempt.sub_task_id) == []


async def test_a_hold_after_a_lost_attempt_leaves_that_one(
    database: Database, attempt: Attempt
) -> None:
    await attempts.begin(database, attempt)
    second = replace(attempt, number=2)
    await attempts.hold(database, second, REASON, LATER)
    assert await step_of(database, attempt.sub_task_id) == (
        *(Status.QUEUED, REASON),
        *(1, True),
    )
    assert (await attempts.begin(database, second)).lost == 1


async def test_the_hold_of_an_attempt_given_up_for_lost_changes_nothing(
    database: Database, attempt: Attempt
) -> None:
    await attempts.begin(database, attempt)
    await attempts.begin(database, replace(attempt, number=2))
    await attempts.hold(database, attempt, REASON, LATER)
    assert await step_of(database, attempt.sub_task_id) == (Status.RUNNING, None, 1, True)


async def test_a_hold_after_a_reset_does_not_forget_what_was_lost_before_it(
    database: Database, attempt: Attempt
) -> None:
    await attempts.begin(database, attempt)
    again = replace(attempt, begun_in="the execution after a reset")
    await attempts.hold(database, again, REASON, LATER)
    assert (await attempts.begin(database, again)).lost == 1
    await attempts.hold(database, again, REASON, LATER)
    assert (await attempts.begin(database, again)).lost == 1


async def test_a_step_that_is_cancelled_while_it_is_held_waits_for_nothing(
    database: Database, attempt: Attempt
) -> None:
    await attempts.hold(database, attempt, REASON, LATER)
    close = TaskClose(task_id=attempt.task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    await tasks.close_task(database, close)
    assert (await step_of(database, attempt.sub_task_id))[:2] == (Status.CANCELLED, None)


async def test_the_hold_of_a_task_that_has_ended_changes_nothing(
    database: Database, attempt: Attempt
) -> None:
    close = TaskClose(task_id=attempt.task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    await tasks.close_task(database, close)
    await attempts.hold(database, attempt, REASON, LATER)
    assert (await step_of(database, attempt.sub_task_id))[:2] == (Status.CANCELLED, None)
