"""Whether a pause was asked for: what sets it, what takes it back."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from activities.store import attempts, tasks
from activities.store.attempts import Attempt, Ended
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from tests.actors import SOMEBODY
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from workflows.contracts import TaskClose
from workflows.definitions.pipeline import Pipeline
from workflows.pipeline_contracts import step_sub_task_id
from workflows.states import Status, TaskType

PIPELINE = Pipeline.model_validate({"name": "p", "steps": [{"id": "one", "skill": "noop"}]})


@pytest.fixture
async def task_id(database: Database) -> UUID:
    task = new_task(TaskType.PIPELINE, PIPELINE)
    return (await tasks.create_task(database, task)).id


async def asked_at(database: Database) -> datetime | None:
    async with database.reading() as connection:
        moment: datetime | None = await connection.scalar(
            text("SELECT pause_requested_at FROM tasks")
        )
    return moment


async def event_types(database: Database) -> list[str]:
    """The types of the events after the first, which says that the task is pending."""
    async with database.reading() as connection:
        found = await connection.scalars(text("SELECT type FROM events WHERE seq > 1 ORDER BY seq"))
        return list(found)


def close(task_id: UUID, status: Status = Status.CANCELLED) -> TaskClose:
    return TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=status)


async def test_a_pause_stands_until_it_is_withdrawn(database: Database, task_id: UUID) -> None:
    assert await asked_at(database) is None
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    seen = await asked_at(database)
    assert seen is not None
    await tasks.request_resume(database, SOMEBODY, task_id, 1, seen)
    assert await asked_at(database) is None
    assert await event_types(database) == ["task.pause_requested", "task.resume_requested"]


async def test_a_resume_does_not_withdraw_a_pause_that_it_has_not_seen(
    database: Database, task_id: UUID
) -> None:
    """Two people at once: the workflow heard the pause last."""
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    seen = await asked_at(database)
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    later = await asked_at(database)
    for known in (seen, None):
        await tasks.request_resume(database, SOMEBODY, task_id, 1, known)
        assert await asked_at(database) == later


async def test_a_run_that_has_ended_or_was_followed_by_another_is_not_asked(
    database: Database, task_id: UUID
) -> None:
    await tasks.request_pause(database, SOMEBODY, task_id, 2)
    await tasks.close_task(database, close(task_id))
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    await tasks.request_resume(database, SOMEBODY, task_id, 1, None)
    assert await asked_at(database) is None
    assert await event_types(database) == ["task.status"]


async def test_the_end_of_a_run_ends_what_was_asked_of_it(
    database: Database, task_id: UUID
) -> None:
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    await tasks.close_task(database, close(task_id))
    assert await asked_at(database) is None


@pytest.mark.parametrize("is_last", [False, True])
async def test_the_success_of_the_last_step_ends_what_was_asked_and_no_other_step_does(
    database: Database, task_id: UUID, is_last: bool
) -> None:
    attempt = Attempt(task_id, step_sub_task_id(task_id, "one"), 1, 1, 0, "w", is_last=is_last)
    await attempts.begin(database, attempt)
    await tasks.request_pause(database, SOMEBODY, task_id, 1)
    await attempts.end(database, attempt, Ended(Status.COMPLETED, 5, exit_code=0))
    assert (await asked_at(database) is None) is is_last


async def test_a_retry_begins_without_what_was_asked_of_the_run_before(
    database: Database, task_id: UUID
) -> None:
    await tasks.close_task(database, close(task_id, Status.FAILED))
    async with database.writing() as connection:
        await connection.execute(text("UPDATE tasks SET pause_requested_at = now()"))
    assert await restart(database, task_id, 1, first_step=0, inputs={})
    assert await asked_at(database) is None
