"""The activity that opens a step with items: what they are, and what it says if they are none."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.steps.items import Items
from activities.store import tasks
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from tests.integration.new_tasks import new_task
from workflows import policies
from workflows.contracts import RETRIES_USED_UP
from workflows.definitions.pipeline import Pipeline
from workflows.pipeline_contracts import ItemsCall, OpenedItems, step_sub_task_id
from workflows.states import TaskType

CODE = {"language": "python", "source": "pass"}
LISTED = {"id": "each", "code": CODE, "foreach": "${steps.a.json}"}


async def begun(database: Database, printed: str) -> UUID:
    """A task whose first step has printed this, and whose second is to have items."""
    pipeline = {"name": "graph", "steps": [{"id": "a", "code": CODE}, LISTED]}
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate(pipeline))
    await tasks.create_task(database, task)
    async with database.writing() as connection:
        values = {"id": step_sub_task_id(task.id, "a"), "log": uuid4(), "printed": printed}
        await connection.execute(
            text(
                "UPDATE sub_tasks SET status = 'completed', output_result = '{\"exit_code\": 0}'"
                " WHERE id = :id"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO execution_logs (id, team_id, task_id, sub_task_id, run, attempt,"
                " status, tokens_used, stdout, stderr) SELECT :log, team_id, task_id, id, 1, 1,"
                " 'completed', 0, :printed, '' FROM sub_tasks WHERE id = :id"
            ),
            values,
        )
    return task.id


async def opened(database: Database, task_id: UUID, failures: int = 0) -> OpenedItems:
    """``failures`` are those of earlier attempts."""
    step = step_sub_task_id(task_id, "each")
    call = ItemsCall(task_id=task_id, team_id=DEFAULT_TEAM, sub_task_id=step, run=1, step="each")
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=failures + 1, heartbeat_details=[failures])
    result = await environment.run(Items(database).open_items, call)
    assert isinstance(result, OpenedItems)
    return result


async def step_of(database: Database, task_id: UUID) -> Any:
    async with database.reading() as connection:
        query = text("SELECT status, error FROM sub_tasks WHERE id = :id")
        return (await connection.execute(query, {"id": step_sub_task_id(task_id, "each")})).one()


async def test_a_list_that_was_printed_has_its_items(database: Database) -> None:
    task_id = await begun(database, '[{"n": 1}, "two"]')
    assert await opened(database, task_id) == OpenedItems(count=2, items=(0, 1))
    assert await opened(database, task_id) == OpenedItems(count=2, items=(0, 1))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_a_list_with_a_number_that_is_no_json_fails_at_once_and_says_so(
    database: Database, number: str
) -> None:
    task_id = await begun(database, f'[1, {{"n": {number}}}]')
    with pytest.raises(ApplicationError) as raised:
        await opened(database, task_id)
    assert raised.value.non_retryable
    step = await step_of(database, task_id)
    assert (step.status, step.error["code"]) == ("failed", "reference-unresolved")
    assert "NaN and Infinity are in it, which are no JSON" in step.error["message"]


async def test_a_step_that_cannot_be_opened_is_tried_as_often_as_a_call_and_then_says_why(
    database: Database,
) -> None:
    task_id = await begun(database, "[1]")
    await database.execute(
        text("UPDATE sub_tasks SET input_context = '{\"foreach\": 5}' WHERE id = :id"),
        {"id": step_sub_task_id(task_id, "each")},
    )
    with pytest.raises(ApplicationError) as raised:
        await opened(database, task_id, policies.ACT_RETRIES - 1)
    assert not raised.value.non_retryable
    assert (await step_of(database, task_id)).status == "pending"
    with pytest.raises(ApplicationError) as raised:
        await opened(database, task_id, policies.ACT_RETRIES)
    assert raised.value.non_retryable
    assert raised.value.details == (RETRIES_USED_UP,)
    step = await step_of(database, task_id)
    assert (step.status, step.error["code"]) == ("failed", "internal-error")
