"""The pauses between attempts: what Temporal makes of the retry policies."""

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.attempts.attempt import as_application_error
from deploy.local.services import Services
from tests.live import until
from workflows import policies
from workflows.errors import TemporaryFailure


@activity.defn
async def fail(asked_seconds: float | None) -> None:
    async with as_application_error():
        failure = TemporaryFailure(service="The test", reason="it is away")
        failure.retry_after_seconds = asked_seconds
        raise failure


@workflow.defn
class Failing:
    @workflow.run
    async def run(self, asked_seconds: float | None) -> None:
        await workflow.execute_activity(fail, asked_seconds, **policies.step(60, retries=3))


async def pause_of(handle: WorkflowHandle[Failing, None], attempt: int) -> float:
    """How long Temporal waits after an attempt, in seconds."""
    found: list[float] = []

    async def is_told() -> bool:
        description = (await handle.describe()).raw_description
        found.extend(
            pending.current_retry_interval.ToTimedelta().total_seconds()
            for pending in description.pending_activities
            if pending.attempt == attempt + 1 and pending.HasField("current_retry_interval")
        )
        return bool(found)

    await until(is_told)
    return found[0]


@pytest.mark.parametrize(
    ("attempt", "asked_seconds"),
    [(1, None), (2, None), (1, 0.0), (1, 0.5), (1, 7.0), (1, 4_000.0)],
)
async def test_the_pause_that_people_are_shown_is_that_of_temporal(
    infrastructure: Services, attempt: int, asked_seconds: float | None
) -> None:
    client = await Client.connect(infrastructure.temporal_address)
    queue = f"policies-{uuid4()}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Failing],
        activities=[fail],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        handle = await client.start_workflow(Failing.run, asked_seconds, id=queue, task_queue=queue)
        pause = await pause_of(handle, attempt)
        await handle.terminate()
    expected = policies.step_pause(attempt, asked_seconds).total_seconds()
    assert pause == pytest.approx(expected, abs=0.01)


@activity.defn
async def tell_the_next() -> int:
    """Each attempt tells the next how many there were; the third gives what it was told."""
    told = int(next(iter(activity.info().heartbeat_details), 0))
    if activity.info().attempt < 3:
        activity.heartbeat(told + 1)
        raise ApplicationError("again", next_retry_delay=timedelta(milliseconds=1))
    return told


@workflow.defn
class Telling:
    @workflow.run
    async def run(self) -> int:
        return await workflow.execute_activity(tell_the_next, **policies.THINK)


async def test_an_attempt_that_fails_tells_the_next_one_what_it_knows(
    infrastructure: Services,
) -> None:
    """So the failures of a turn are counted, apart from the workers that it loses."""
    client = await Client.connect(infrastructure.temporal_address)
    queue = f"telling-{uuid4()}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Telling],
        activities=[tell_the_next],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        told = await client.execute_workflow(Telling.run, id=queue, task_queue=queue)
    assert told == 2
