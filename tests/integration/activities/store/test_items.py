"""Items of steps in the database: however many, and as what the end of their task leaves them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from activities.store import tasks
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.dead_letters import DeadLetterFilter, list_letters
from activities.store.reading.results import results_of
from activities.store.reading.steps import ItemCounts, step_states
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from workflows.contracts import Failure, TaskClose
from workflows.definitions.pipeline import Pipeline
from workflows.pipeline_contracts import item_sub_task_id, step_sub_task_id
from workflows.states import Status, TaskType

CODE = {"language": "python", "source": "pass"}
# PostgreSQL takes so many arguments with a statement.
MOST_ARGUMENTS = 32_767


async def create(database: Database, *names: str, foreach: str | None = None) -> UUID:
    """A task that runs, with these steps; all of them, or one, with items."""
    steps = [
        {"id": name, "code": CODE, **({"foreach": [1]} if foreach in (name, "all") else {})}
        for name in names
    ]
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate({"name": "graph", "steps": steps}))
    await tasks.create_task(database, task)
    await database.execute(
        text("UPDATE tasks SET status = 'running', started_at = now() WHERE id = :id"),
        {"id": task.id},
    )
    return task.id


async def set_step(database: Database, task_id: UUID, name: str, status: Status) -> None:
    await database.execute(
        text("UPDATE sub_tasks SET status = :status WHERE task_id = :id AND name = :name"),
        {"id": task_id, "name": name, "status": status},
    )


async def add_items(database: Database, task_id: UUID, count: int) -> None:
    """Items of all steps, completed as these are then."""
    await database.execute(
        text(
            "INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,"
            " input_context, retry_count, execution_order, item_of, item_index, item)"
            " SELECT gen_random_uuid(), team_id, task_id, name || '[' || n || ']', task_type,"
            " 'completed', '[]', '{}', 0, execution_order, id, n, '{\"value\": 1}'"
            " FROM sub_tasks, generate_series(0, CAST(:count AS int) - 1) AS n WHERE task_id = :id"
        ),
        {"id": task_id, "count": count},
    )
    await database.execute(
        text(
            "UPDATE sub_tasks SET status = 'completed',"
            " output_result = jsonb_build_object('exit_code', 0, 'items', CAST(:count AS int))"
            " WHERE task_id = :id AND item_of IS NULL"
        ),
        {"id": task_id, "count": count},
    )


async def add_item(
    database: Database, task_id: UUID, step: str, status: Status, error: Failure | None = None
) -> UUID:
    key = step_sub_task_id(task_id, step)
    item = item_sub_task_id(key, 0)
    await database.execute(
        text(
            "INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,"
            " input_context, retry_count, execution_order, item_of, item_index, item, error,"
            " finished_at) SELECT :item, team_id, task_id, name || '[0]', task_type, :status, '[]',"
            " '{}', 0, execution_order, id, 0, '{\"value\": 1}', CAST(:error AS jsonb), now()"
            " FROM sub_tasks WHERE id = :key"
        ),
        {
            "key": key,
            "item": item,
            "status": status,
            "error": error and error.model_dump_json(exclude_none=True),
        },
    )
    return item


async def close(database: Database, task_id: UUID, failure: Failure, sub_task_id: UUID) -> None:
    call = TaskClose(
        task_id=task_id,
        team_id=DEFAULT_TEAM,
        run=1,
        status=Status.FAILED,
        failure=failure,
        sub_task_id=sub_task_id,
    )
    assert await tasks.close_task(database, call)


async def rows_of(database: Database, task_id: UUID) -> Mapping[str, Any]:
    async with database.reading() as connection:
        rows = await connection.execute(
            text("SELECT name, status, error FROM sub_tasks WHERE task_id = :id"), {"id": task_id}
        )
        return {row.name: row for row in rows}


def failure_of(step: str) -> Failure:
    return Failure(code="script-failed", message=f"Step {step!r} failed.", step=step)


async def test_the_results_of_more_items_are_read_than_a_statement_takes_arguments(
    database: Database,
) -> None:
    names = [f"s{number}" for number in range(33)]
    task_id = await create(database, *names, foreach="all")
    await add_items(database, task_id, 1_000)
    assert len(names) * 1_000 > MOST_ARGUMENTS
    results = await results_of(database, task_id, names, with_stdout=names)
    assert {len(result.printed or ()) for result in results.values()} == {1_000}


async def test_more_items_begin_again_than_a_statement_takes_arguments(database: Database) -> None:
    task_id = await create(database, "a")
    await close(database, task_id, failure_of("a"), step_sub_task_id(task_id, "a"))
    again = [step_sub_task_id(task_id, "a"), *(uuid4() for _ in range(MOST_ARGUMENTS))]
    assert await restart(database, task_id, 1, first_step=0, inputs={}, again=again)
    assert (await rows_of(database, task_id))["a"].status == "pending"


async def test_the_step_of_an_item_that_failed_beside_another_step_is_not_blamed_for_that(
    database: Database,
) -> None:
    task_id = await create(database, "a", "each", foreach="each")
    await set_step(database, task_id, "a", Status.RUNNING)
    await set_step(database, task_id, "each", Status.RUNNING)
    await add_item(database, task_id, "each", Status.FAILED, failure_of("each[0]"))
    await close(database, task_id, failure_of("a"), step_sub_task_id(task_id, "a"))
    rows = await rows_of(database, task_id)
    assert (rows["each"].status, rows["each"].error["step"]) == ("failed", "each[0]")
    assert (rows["a"].status, rows["a"].error["step"]) == ("failed", "a")
    letters, _ = await list_letters(database, DEFAULT_TEAM, DeadLetterFilter(), None, 100)
    assert [letter.part for letter in letters] == ["a"]


async def test_a_step_fails_with_an_item_that_was_lost_too_often_to_say_so(
    database: Database,
) -> None:
    task_id = await create(database, "each", foreach="each")
    await set_step(database, task_id, "each", Status.RUNNING)
    item = await add_item(database, task_id, "each", Status.RUNNING)
    lost = Failure(code="worker-lost", message="The worker died.", step="each[0]")
    await close(database, task_id, lost, item)
    rows = await rows_of(database, task_id)
    assert {name: row.status for name, row in rows.items()} == {
        "each": "failed",
        "each[0]": "failed",
    }
    assert rows["each"].error["code"] == "worker-lost"
    letters, _ = await list_letters(database, DEFAULT_TEAM, DeadLetterFilter(), None, 100)
    assert [letter.part for letter in letters] == ["each[0]"]


async def test_the_items_of_a_completed_step_are_not_counted_again(
    database: Database, queries: list[str]
) -> None:
    task_id = await create(database, "each", foreach="each")
    await add_items(database, task_id, 3)
    queries.clear()
    async with database.reading() as connection:
        found = await step_states(connection, DEFAULT_TEAM, [task_id], only_open=())
    assert len(queries) == 1
    assert [state.items for state in found[task_id]] == [ItemCounts(3, 3, 0, 0)]
