"""A cancellation that meets the end of the work: row and workflow end alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.attempts.heartbeat import heartbeating
from deploy.local.services import Services
from tests.doubles.ordered_agents import FINISH, OrderedAgents
from tests.live import until
from tests.replay.pipelines import pipeline_run
from worker.host import task_workflows
from workflows import ports
from workflows.agent import AgentWorkflow
from workflows.agent_contracts import AgentRun, RunLimits
from workflows.contracts import TaskClose, TaskMark
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import StepCall, StepOutcome
from workflows.states import Status


@dataclass(slots=True)
class Row(ports.Tasks, ports.Steps):
    """The row of a task, which keeps its first end, and steps that end when they are let go,
    whoever cancels them."""

    status: Status = Status.RUNNING
    begun: list[str] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    may_close: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        self.begun.append(call.step)
        async with heartbeating():
            while not self.let_go.is_set():
                try:
                    await self.let_go.wait()
                except asyncio.CancelledError:
                    continue
        if call.is_last:
            self.status = Status.COMPLETED
        return StepOutcome(exit_code=0, files=0, closed=call.is_last)

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        raise NotImplementedError

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        raise NotImplementedError

    @activity.defn
    async def mark_task(self, mark: TaskMark) -> None:
        """Nobody asks."""

    @activity.defn
    async def close_task(self, close: TaskClose) -> Status | None:
        if self.status is Status.RUNNING:
            self.status = close.status
        self.closing.set()
        await self.may_close.wait()
        return self.status

    def has_begun(self, step: str) -> Callable[[], Awaitable[bool]]:
        async def is_there() -> bool:
            return step in self.begun

        return is_there


@pytest.fixture
async def temporal(infrastructure: Services) -> Client:
    return await Client.connect(infrastructure.temporal_address, data_converter=DATA_CONVERTER)


@asynccontextmanager
async def hosting(client: Client, queue: str, row: Row) -> AsyncIterator[None]:
    """A worker of workflows and of what they do on the spot, but of no other activities."""
    worker = Worker(
        client,
        task_queue=queue,
        workflows=task_workflows(),
        activities=[row.mark_task, row.close_task],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
        no_remote_activities=True,
        max_cached_workflows=0,
    )
    async with worker:
        yield


@asynccontextmanager
async def acting(
    client: Client, queue: str, *activities: Callable[..., Any]
) -> AsyncIterator[None]:
    """A worker of activities only."""
    async with Worker(client, task_queue=queue, activities=activities, build_id=build_id("test")):
        yield


async def start(client: Client, *steps: str) -> tuple[str, WorkflowHandle[Any, Any]]:
    run = pipeline_run(*steps)
    queue = f"late-{run.task_id}"
    handle = await client.start_workflow(
        PipelineWorkflow.run, run, id=f"task-{run.task_id}", task_queue=queue
    )
    return queue, handle


async def has_happened(handle: WorkflowHandle[Any, Any], event: str) -> None:
    """Return once an event of this kind is in the history."""

    async def is_there() -> bool:
        history = await handle.fetch_history()
        return any(found.HasField(f"{event}_event_attributes") for found in history.events)

    await until(is_there)


async def is_cancelled(handle: WorkflowHandle[Any, Any]) -> bool:
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    return isinstance(failure.value.cause, CancelledError)


async def test_a_cancellation_that_comes_with_the_end_of_the_last_step_is_too_late(
    temporal: Client,
) -> None:
    row = Row()
    row.may_close.set()
    queue, handle = await start(temporal, "only")
    async with acting(temporal, queue, row.run_code):
        async with hosting(temporal, queue, row):
            await until(row.has_begun("only"))
        # The workflow hears of both at once.
        await handle.cancel()
        row.let_go.set()
        await has_happened(handle, "activity_task_completed")
        async with hosting(temporal, queue, row):
            await handle.result()
    assert row.status is Status.COMPLETED


async def test_a_cancellation_in_spite_of_which_a_step_ends_lets_no_other_begin(
    temporal: Client,
) -> None:
    row = Row()
    row.may_close.set()
    queue, handle = await start(temporal, "first", "second")
    async with acting(temporal, queue, row.run_code), hosting(temporal, queue, row):
        await until(row.has_begun("first"))
        await handle.cancel()
        await has_happened(handle, "activity_task_cancel_requested")
        row.let_go.set()
        assert await is_cancelled(handle)
    assert (row.begun, row.status) == (["first"], Status.CANCELLED)


async def test_a_cancellation_while_the_end_of_an_agent_is_written_is_too_late(
    temporal: Client,
) -> None:
    row, agents = Row(), OrderedAgents([FINISH])
    limits = RunLimits(turns=9, tokens=1_000, cost_usd=None, seconds=600)
    run = AgentRun(task_id=uuid4(), team_id=uuid4(), run=1, limits=limits, approval_seconds=60)
    queue = f"late-{run.task_id}"
    async with acting(temporal, queue, agents.think), hosting(temporal, queue, row):
        handle = await temporal.start_workflow(
            AgentWorkflow.run, run, id=f"task-{run.task_id}", task_queue=queue
        )
        await row.closing.wait()
        await handle.cancel()
        row.may_close.set()
        await handle.result()
    assert row.status is Status.COMPLETED
