"""Attempts at a step that are lost with their workers, and what they cost."""

import asyncio
import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.steps.adapter import Steps
from activities.store import attempts, tasks
from activities.store.attempts import Attempt, Ended
from activities.store.database import Database
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import first_call, new_task
from workflows.contracts import RETRIES_USED_UP, Failure
from workflows.definitions.pipeline import Pipeline
from workflows.errors import DiskFull, InternalError
from workflows.errors.mcp import McpConnectionLost, McpUnavailable
from workflows.errors.tasks import StepInterrupted, WorkersLost, WorkerStopping
from workflows.pipeline_contracts import StepCall, StepOutcome
from workflows.policies import LOST_ATTEMPTS
from workflows.states import Status, TaskType

STOPS = ActivityCancellationDetails(worker_shutdown=True)
CANCELLED = ActivityCancellationDetails(cancel_requested=True)


@dataclass
class Till:
    """A server whose ``look`` may be called twice, and whose ``pay`` should not be."""

    error: Exception | None = None
    waits: bool = False
    calls: int = 0
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        schema = {"type": "object"}
        look = OfferedTool("mcp.till.look", "Looks.", schema, is_retry_safe=True)
        return [look, OfferedTool("mcp.till.pay", "Pays.", schema)]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        self.called.set()
        if self.waits:
            await asyncio.sleep(600)
        if self.error is not None:
            raise self.error
        return McpResult(text="done")


@dataclass
class OneStep:
    """A task of one step, and the activity that makes attempts at it."""

    desk: Desk
    call: StepCall
    till: Till
    environment: ActivityEnvironment

    @classmethod
    async def of(cls, desk: Desk, tool: str, retries: int, till: Till, *retry_on: str) -> "OneStep":
        step = {"id": "a", "tool": tool, "args": {}, "retries": retries, "retry_on": retry_on}
        definition = Pipeline.model_validate({"name": "test", "steps": [step]})
        task = new_task(TaskType.PIPELINE, definition)
        await tasks.create_task(desk.database, task)
        call = first_call(task, retries=retries, timeout_seconds=60, is_last=True)
        return cls(desk, call, till, ActivityEnvironment())

    async def lose(self, *numbers: int) -> None:
        """Begin attempts whose workers then die."""
        for number in numbers:
            await attempts.begin(self.desk.database, self.attempt(number))

    async def fail(self, number: int) -> None:
        """Make an attempt that fails, and would be followed by another."""
        await self.lose(number)
        failure = Failure(code="script-failed", message="It failed.")
        ended = Ended(Status.QUEUED, 5, exit_code=75, failure=failure)
        await attempts.end(self.desk.database, self.attempt(number), ended)

    def attempt(self, number: int) -> Attempt:
        retries = self.call.retries
        return Attempt(self.call.task_id, self.call.sub_task_id, 1, number, retries, "worker-0")

    async def run(self, number: int, database: Database | None = None) -> StepOutcome:
        """Make an attempt."""
        self.environment.info = replace(self.environment.info, attempt=number)
        equipment = replace(self.desk.equipment, database=database or self.desk.database)
        toolbox = Toolbox(Registry(), self.desk.database, mcp=self.till)
        return await self.environment.run(Steps(equipment, toolbox).call_tool, self.call)

    async def error_of(self, number: int) -> ApplicationError:
        with pytest.raises(ApplicationError) as raised:
            await self.run(number)
        return raised.value

    async def row(self) -> Any:
        query = text("SELECT status, error, next_attempt_at FROM sub_tasks WHERE id = :id")
        async with self.desk.database.reading() as connection:
            return (await connection.execute(query, {"id": self.call.sub_task_id})).one()


async def test_a_lost_attempt_costs_no_retry(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.look", 0, Till())
    await step.lose(*range(1, LOST_ATTEMPTS + 1))
    assert (await step.run(LOST_ATTEMPTS + 1)).closed


async def test_a_step_that_loses_too_many_workers_is_blocked_and_says_so(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.look", 3, Till())
    await step.lose(*range(1, LOST_ATTEMPTS + 2))
    error = await step.error_of(LOST_ATTEMPTS + 2)
    assert (error.type, error.non_retryable) == (WorkersLost.code, True)
    assert RETRIES_USED_UP in error.details
    assert (await step.row()).status == Status.BLOCKED
    assert step.till.calls == 0


async def test_failures_are_counted_without_the_attempts_that_were_lost(desk: Desk) -> None:
    away = McpUnavailable(server="till", reason="away")
    step = await OneStep.of(desk, "mcp.till.look", 1, Till(error=away))
    await step.lose(1, 2)
    error = await step.error_of(3)
    assert not error.non_retryable
    assert (await step.row()).next_attempt_at is not None
    step.till.error = McpUnavailable(server="till", reason="away")
    error = await step.error_of(4)
    assert (error.type, error.non_retryable) == (McpUnavailable.code, True)
    assert RETRIES_USED_UP in error.details
    assert (await step.row()).status == Status.BLOCKED


async def test_an_error_that_no_retry_mends_is_not_said_to_have_used_them_up(desk: Desk) -> None:
    gone = McpConnectionLost(server="till", tool="look", reason="gone")
    step = await OneStep.of(desk, "mcp.till.look", 0, Till(error=gone))
    error = await step.error_of(1)
    assert error.non_retryable
    assert not error.details
    assert (await step.row()).status == Status.FAILED


async def test_an_unsafe_step_without_retries_is_not_repeated_and_says_what_happened(
    desk: Desk,
) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 0, Till())
    await step.lose(1)
    error = await step.error_of(2)
    assert (error.type, error.non_retryable) == (StepInterrupted.code, True)
    assert "may have taken effect" in str(error)
    assert (await step.row()).status == Status.BLOCKED
    assert step.till.calls == 0


async def test_an_unsafe_step_is_not_repeated_when_temporal_was_reset_after_its_worker_died(
    desk: Desk,
) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 2, Till())
    await attempts.begin(desk.database, replace(step.attempt(1), begun_in="before"))
    assert (await step.error_of(1)).type == StepInterrupted.code
    assert step.till.calls == 0


async def test_a_tool_that_is_not_safe_is_not_called_again_though_retries_are_left(
    desk: Desk,
) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 2, Till())
    await step.fail(1)
    await step.lose(2)
    assert (await step.error_of(3)).type == StepInterrupted.code
    assert step.till.calls == 0


async def test_an_unsafe_step_that_may_be_retried_after_anything_is_repeated(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 0, Till(), "any")
    await step.lose(1)
    assert (await step.run(2)).closed


async def test_a_full_disk_is_told_and_tried_again(desk: Desk) -> None:
    till = Till(error=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/file"))
    step = await OneStep.of(desk, "mcp.till.look", 1, till)
    error = await step.error_of(1)
    assert (error.type, error.non_retryable) == (DiskFull.code, False)
    assert "/data/file" in str(error)
    assert (await step.row()).status == Status.QUEUED


async def test_a_failure_that_nobody_foresaw_is_told_and_costs_a_retry(desk: Desk) -> None:
    """Were it taken for a lost worker, it would be tried ten times, and be said to be one."""
    step = await OneStep.of(desk, "mcp.till.look", 1, Till(error=KeyError("Ann's row")))
    error = await step.error_of(1)
    assert (error.type, error.non_retryable) == (InternalError.code, False)
    assert "Ann" not in str(error)
    row = await step.row()
    assert (row.status, row.error["code"]) == (Status.QUEUED, InternalError.code)
    assert 'It ended with: KeyError: "Ann\'s row"' in row.error["message"]
    error = await step.error_of(2)
    assert error.non_retryable
    assert RETRIES_USED_UP in error.details
    assert (await step.row()).status == Status.BLOCKED


async def test_a_failure_that_nobody_foresaw_does_not_have_an_unsafe_tool_called_again(
    desk: Desk,
) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 3, Till(error=KeyError("a")))
    error = await step.error_of(1)
    assert (error.type, error.non_retryable) == (InternalError.code, True)
    assert "may have taken effect" in str(error)


async def cut_off(step: OneStep, details: ActivityCancellationDetails, *, stops: bool) -> None:
    step.till.waits = True
    running = asyncio.ensure_future(step.run(1))
    async with asyncio.timeout(30):
        await step.till.called.wait()
    if stops:
        step.environment.worker_shutdown()
    step.environment.cancel(cancellation_details=details)
    await running


async def test_a_stopped_worker_leaves_a_step_without_retries_to_the_next(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.look", 0, Till())
    with pytest.raises(ApplicationError) as raised:
        await cut_off(step, STOPS, stops=True)
    assert (raised.value.type, raised.value.non_retryable) == (WorkerStopping.code, False)
    assert (await step.row()).status == Status.QUEUED
    step.till.waits, step.environment = False, ActivityEnvironment()
    assert (await step.run(2)).closed


async def test_a_stopped_worker_says_of_an_unsafe_step_that_it_is_not_repeated(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.pay", 0, Till())
    with pytest.raises(ApplicationError) as raised:
        await cut_off(step, STOPS, stops=True)
    assert (raised.value.type, raised.value.non_retryable) == (StepInterrupted.code, True)
    row = await step.row()
    assert (row.status, row.error["code"]) == (Status.BLOCKED, StepInterrupted.code)


async def test_a_step_that_is_cancelled_while_its_worker_stops_is_cancelled(desk: Desk) -> None:
    step = await OneStep.of(desk, "mcp.till.look", 0, Till())
    with pytest.raises(asyncio.CancelledError):
        await cut_off(step, CANCELLED, stops=True)
    assert (await step.row()).status == Status.CANCELLED


class SlowToAnswer(Database):
    """Does what it is asked, and answers only when the test has cancelled."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.has_ended, self.may_answer = asyncio.Event(), asyncio.Event()

    async def execute(self, statement: Any, values: Mapping[str, object]) -> Any:
        rows = await super().execute(statement, values)
        if "closes" in values:
            self.has_ended.set()
            await self.may_answer.wait()
        return rows


async def test_a_cancellation_that_meets_the_written_end_of_a_step_is_too_late(
    desk: Desk, database_url: str
) -> None:
    """Row and workflow would else tell different ends."""
    step, database = await OneStep.of(desk, "mcp.till.look", 0, Till()), SlowToAnswer(database_url)
    try:
        running = asyncio.ensure_future(step.run(1, database))
        async with asyncio.timeout(30):
            await database.has_ended.wait()
        step.environment.cancel(cancellation_details=CANCELLED)
        asyncio.get_running_loop().call_later(0.05, database.may_answer.set)
        assert (await running).closed
    finally:
        await database.close()
    assert (await step.row()).status == Status.COMPLETED
