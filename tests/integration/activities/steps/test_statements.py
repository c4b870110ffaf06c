"""What a step costs the database."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.testing import ActivityEnvironment

from activities.limits.book import LimitBook
from activities.limits.slots import Slots
from activities.steps.adapter import Steps
from activities.store import tasks
from activities.store.attempt_statements import TELL_OF_ATTEMPT
from activities.store.database import Database, Row
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import first_call, new_task
from workflows.definitions.pipeline import Pipeline
from workflows.pipeline_contracts import StepCall
from workflows.states import TaskType


class CountedDatabase(Database):
    """Counts how often it is asked, but for what is told of a step that takes its time."""

    asked = 0

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row]:
        self.asked += statement is not TELL_OF_ATTEMPT
        return await super().execute(statement, values)

    @asynccontextmanager
    async def reading(self, *, fresh: bool = False) -> AsyncIterator[AsyncConnection]:
        self.asked += 1
        async with super().reading(fresh=fresh) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.asked += 1
        async with super().writing() as connection:
            yield connection


async def test_a_step_that_reads_nothing_asks_the_database_as_it_begins_and_as_it_ends(
    dice: Desk,
) -> None:
    database = CountedDatabase(dice.database.url)
    slots = Slots(database, LimitBook(database, {}), "worker-1")
    equipment = replace(dice.equipment, database=database, slots=slots)
    steps = Steps(equipment, Toolbox(Registry(), database))
    environment = ActivityEnvironment()
    await environment.run(steps.run_skill, await _call(dice))
    assert database.asked == 3  # One for all steps of a second: the limits that are set.
    await slots.close()
    await database.close()


async def _call(desk: Desk) -> StepCall:
    step = {"id": "a", "skill": "wild", "cache": False}
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate({"name": "test", "steps": [step]}))
    await tasks.create_task(desk.database, task)
    return first_call(task, timeout_seconds=60)
