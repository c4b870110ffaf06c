"""One worker's slot and a full queue: who is more urgent goes first, and teams share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.store import keys, limits
from activities.store.audit import Actor
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.task_records import Tasks
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, ObedientSteps, Stage, api_stage, pipeline
from tests.live import until
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import StepCall, StepOutcome


class NotedSteps(ObedientSteps):
    """``begun`` are the tasks whose steps have begun, in their order."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        super().__init__(database, blobs)
        self.begun: list[UUID] = []

    async def _run(self, call: StepCall) -> StepOutcome:
        self.begun.append(call.task_id)
        return await super()._run(call)


@dataclass(frozen=True, slots=True)
class Team:
    id: UUID
    http: httpx.AsyncClient

    async def submit(self, count: int, priority: int = 5) -> Sequence[UUID]:
        body = {"pipeline": pipeline("print"), "priority": priority}
        answers = [await self.http.post("/tasks", json=body) for _ in range(count)]
        return [UUID(answer.raise_for_status().json()["task_id"]) for answer in answers]


async def team_of(stage: Stage) -> Team:
    team_id = await keys.create_team(stage.database, f"team-{uuid4()}")
    key = await keys.create_key(stage.database, team_id, "test")
    headers = {"Authorization": f"Bearer {key.secret}"}
    client = httpx.AsyncClient(
        base_url=f"{stage.url}/api/v1", headers=headers, timeout=WAIT_SECONDS
    )
    return Team(team_id, await stage.stack.enter_async_context(client))


@pytest.fixture
async def queue(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        yield stage


async def begun_in_order(stage: Stage, tasks: Sequence[UUID]) -> Sequence[UUID]:
    """Have all of the tasks' steps wait in the queue, and then one slot for them."""
    client = await Client.connect(
        stage.temporal.service_client.config.target_host, data_converter=DATA_CONVERTER
    )
    steps = NotedSteps(stage.database, stage.services.blobs)
    async with _deciding(client, stage):
        for task_id in tasks:
            await _waits_in_queue(client, task_id)
        only = Worker(
            client,
            task_queue=stage.task_queue,
            activities=steps.activities(),
            max_concurrent_activities=1,
            build_id=build_id("test"),
        )
        async with only:

            async def all_have() -> bool:
                return len(steps.begun) >= len(tasks)

            await until(all_have)
    return steps.begun


@asynccontextmanager
async def _deciding(client: Client, stage: Stage) -> AsyncIterator[None]:
    """A worker for workflows alone."""
    records = Tasks(stage.database)
    worker = Worker(
        client,
        task_queue=stage.task_queue,
        workflows=[PipelineWorkflow],
        activities=records.activities(),
        workflow_runner=UnsandboxedWorkflowRunner(),
        no_remote_activities=True,
        build_id=build_id("test"),
    )
    async with worker:
        yield


async def _waits_in_queue(client: Client, task_id: UUID) -> None:
    async def is_scheduled() -> bool:
        handle = client.get_workflow_handle(f"task-{task_id}")
        return bool((await handle.describe()).raw_description.pending_activities)

    await until(is_scheduled)


async def test_the_steps_of_more_urgent_tasks_go_first(queue: Stage) -> None:
    team = await team_of(queue)
    usual = await team.submit(6)
    urgent = await team.submit(2, priority=10)
    begun = await begun_in_order(queue, [*usual, *urgent])
    # The first was handed out before all had arrived, at most.
    assert set(urgent) <= set(begun[:3])


async def test_teams_share_a_worker_though_one_has_filled_the_queue(queue: Stage) -> None:
    first, second = await team_of(queue), await team_of(queue)
    theirs = await first.submit(10)
    ours = await second.submit(4)
    begun = await begun_in_order(queue, [*theirs, *ours])
    assert set(ours) <= set(begun[:10])


async def test_a_team_of_more_weight_gets_more_of_a_worker(queue: Stage) -> None:
    light, heavy = await team_of(queue), await team_of(queue)
    await limits.set_weight(queue.database, Actor(heavy.id, "test"), 4)
    theirs = await light.submit(10)
    ours = await heavy.submit(10)
    begun = await begun_in_order(queue, [*theirs, *ours])
    assert len(set(ours) & set(begun[:10])) >= 7
    assert set(theirs) & set(begun[:10])
