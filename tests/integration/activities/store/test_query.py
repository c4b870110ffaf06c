"""A query that is compiled once gives what SQLAlchemy gives."""

from uuid import uuid4

import pytest
from sqlalchemy import Integer, or_, select, text
from sqlmodel import col

from activities.store import tasks
from activities.store.database import Database
from activities.store.query import Query, given
from activities.store.tables import SubTask, Task
from tests.integration.new_tasks import new_task
from workflows.definitions.pipeline import Pipeline
from workflows.errors import TemporaryFailure
from workflows.errors.services import DatabaseNewer
from workflows.states import LIVING, Status, TaskType

_STEPS = [{"id": name, "skill": "greet"} for name in ("a", "b", "c")]
_QUERY = Query(
    select(
        col(Task.id),
        col(Task.type),
        col(Task.definition),
        col(Task.created_at),
        col(Task.finished_at),
        col(Task.priority) + given("more", Integer()),
        col(SubTask.name),
        col(SubTask.status),
    )
    .join(SubTask, col(SubTask.task_id) == col(Task.id))
    .where(
        or_(col(Task.id) == given("task_id"), col(Task.id) == given("task_id")),
        col(Task.status).in_(LIVING),
        col(SubTask.status) == Status.PENDING,
    )
    .order_by(col(SubTask.execution_order))
    .limit(given("limit", Integer()))
)
_ONE = Query(select(col(Task.name), col(Task.status)).where(col(Task.id) == given("task_id")))


async def test_a_query_finds_the_same_through_the_driver_as_through_sqlalchemy(
    database: Database,
) -> None:
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate({"name": "p", "steps": _STEPS}))
    await tasks.create_task(database, task)
    values = {"task_id": task.id, "more": 3, "limit": 2}
    async with database.reading() as connection:
        whole = await _QUERY.rows(connection, **values)
    async with database.reader() as reader:
        found = await _QUERY.rows(reader, **values)
    assert [tuple(row) for row in found] == [tuple(row) for row in whole]
    first = found[0]
    assert [row[6] for row in found] == ["a", "b"]
    assert first.id == task.id
    assert first.type is TaskType.PIPELINE
    assert first.status is Status.PENDING
    assert first.definition["steps"][0] == _STEPS[0]
    assert first.finished_at is None
    assert first[5] == task.priority + 3


async def test_what_is_not_there_is_no_row(database: Database) -> None:
    async with database.reader() as reader:
        assert await _ONE.row(reader, task_id=uuid4()) is None
        assert await _ONE.scalar(reader, task_id=uuid4()) is None


async def test_a_value_that_nobody_gave_is_not_taken_for_null(database: Database) -> None:
    async with database.reader() as reader:
        with pytest.raises(KeyError):
            await _ONE.row(reader)


async def test_a_state_that_a_newer_version_wrote_is_refused_by_name(database: Database) -> None:
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate({"name": "p", "steps": _STEPS}))
    await tasks.create_task(database, task)
    async with database.writing() as connection:
        newer = text("UPDATE tasks SET status = 'dreaming' WHERE id = :id")
        await connection.execute(newer, {"id": task.id})
    async with database.reader() as reader:
        with pytest.raises(DatabaseNewer, match="dreaming"):
            await _ONE.row(reader, task_id=task.id)


async def test_readers_of_a_replica_are_readers_of_the_primary_where_they_ask_for_it(
    database: Database,
) -> None:
    # A replica that nobody can reach: only what is not fresh is asked of it.
    gone = database.url.rpartition("@")[0] + "@/none?host=/nowhere"
    database = Database(database.url, read_url=gone)
    async with database.reader(fresh=True) as reader:
        assert await _ONE.row(reader, task_id=uuid4()) is None
    with pytest.raises(TemporaryFailure):
        async with database.reader():
            raise AssertionError
    await database.close()
