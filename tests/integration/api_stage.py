"""An API on true services, with a worker whose steps do at once what their source says.

The source of a code step is a list of orders: ``print TEXT``, ``file NAME TEXT``, ``fail``,
``wait`` (until released), ``cached`` (as if from the cache), ``retry`` (fails the first attempt),
``refuse NAME REFERENCE`` (fails if the input is that, or ends so), ``item NUMBER ORDER`` (for that
item only).
"""

import asyncio
import hashlib
import io
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.inputs.policy import InputPolicy
from activities.llm.base import ModelOptions
from activities.payloads import Codec, data_converter
from activities.schedules.adapter import Schedules
from activities.secret_box import SecretBox
from activities.skills.catalogue import Catalogue
from activities.steps.items import Items
from activities.store import attempts, keys
from activities.store.attempts import Attempt, Ended, SkillUse, StoredFile
from activities.store.blobs import Blobs
from activities.store.condemned import Ledger
from activities.store.database import Database
from activities.store.options import S3Options
from activities.task_records import Tasks
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.registry import Registry
from activities.webhooks.options import WebhookOptions
from api.app import create_app
from api.http.server import serve
from api.services import ApiOptions, Services
from api.tasks.temporal import TemporalPort
from api.wire.requests import MAX_WAIT_SECONDS
from deploy.local import services as local
from deploy.local.tcp_ports import choose_ports
from tests.databases import migrated_database
from tests.event_stream import events_in
from tests.pauses import pause_after
from workflows import ports
from workflows.contracts import Failure
from workflows.errors.tasks import TaskMoved
from workflows.events import StepCompleted
from workflows.generation import build_id
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import StepCall, StepOutcome
from workflows.schedule_contracts import schedule_name
from workflows.scheduled_run import ScheduledRunWorkflow
from workflows.states import FINAL, Status

# As `agentos up` has them, and quick. Not polled more often: a stage stands there for many tests,
# and ten looks a second would take three percent of a processor.
LOOPBACK_WEBHOOKS = WebhookOptions(
    loopback=True, timeout_seconds=5.0, first_pause_seconds=0.1, longest_pause_seconds=0.5
)
BOX = SecretBox([b"k" * 32])

# Enough for a machine that is busy with other things.
WAIT_SECONDS = 60.0


class ObedientSteps(ports.Steps):
    """Does what the source of a step orders, and writes it down as a true worker does."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self.released = asyncio.Event()

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        return await self._run(call)

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        return await self._run(call)

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        return await self._run(call)

    async def _run(self, call: StepCall) -> StepOutcome:
        attempt = Attempt(
            task_id=call.task_id,
            sub_task_id=call.sub_task_id,
            run=call.run,
            number=activity.info().attempt,
            retries=call.retries,
            worker_id="obedient",
        )
        try:
            begun = await attempts.begin(self._database, attempt)
        except TaskMoved as moved:
            raise ApplicationError(str(moved), type=moved.code, non_retryable=True) from moved
        if begun.outcome is not None:
            return begun.outcome
        source = begun.definition.get("code", {}).get("source", "")
        printed, files, cached = "", [], None
        skill: SkillUse | None = None
        for order in source.splitlines():
            match _for_item(order, begun.index).split(" ", 2):
                case ["print", *words]:
                    printed += " ".join(words) + "\n"
                case ["file", name, content]:
                    files.append(await self._store(call.team_id, name, content.encode()))
                case ["wait"]:
                    await self._wait()
                case ["skill", name, digest]:
                    skill = SkillUse(name, "1.2", digest)
                case ["cached"]:
                    cached = True
                case ["retry"] if attempt.number == 1:
                    await self._fail(call, attempt, printed, retryable=True)
                case ["refuse", name, reference] if begun.inputs.get(name, "").endswith(reference):
                    await self._fail(call, attempt, printed, retryable=False)
                case ["fail"]:
                    await self._fail(call, attempt, printed, retryable=False)
        told = (StepCompleted(step=call.step, cached=cached),)
        ended = Ended(
            Status.COMPLETED,
            5,
            exit_code=0,
            stdout=printed,
            files=tuple(files),
            events=told,
            cached=bool(cached),
            skill=skill,
        )
        await attempts.end(self._database, attempt, ended)
        return StepOutcome(exit_code=0, files=len(files))

    def let_go(self) -> None:
        """The steps that wait now go on; those that come later wait."""
        self.released.set()
        self.released = asyncio.Event()

    async def _wait(self) -> None:
        released = self.released
        while not released.is_set():
            activity.heartbeat()
            with suppress(TimeoutError):
                await asyncio.wait_for(released.wait(), 0.05)

    async def _fail(
        self, call: StepCall, attempt: Attempt, printed: str, *, retryable: bool
    ) -> None:
        failure = Failure(code="script-failed", message="It failed as told.", step=call.step)
        status = Status.QUEUED if retryable else Status.FAILED
        ended = Ended(status, 5, exit_code=1, stdout=printed, stderr="no\n", failure=failure)
        await attempts.end(self._database, attempt, ended)
        raise ApplicationError(failure.message, type=failure.code, non_retryable=not retryable)

    async def _store(self, team_id: UUID, name: str, content: bytes) -> StoredFile:
        sha256 = hashlib.sha256(content).hexdigest()
        kind = "image/png" if name.endswith(".png") else "text/html"
        await self._blobs.put(team_id, sha256, len(content), kind, io.BytesIO(content))
        return StoredFile(name, len(content), kind, sha256)


def _for_item(order: str, index: int | None) -> str:
    """The order that a step, or an item of it, is given; "" where it is for another item."""
    match order.split(" ", 2):
        case ["item", number, rest]:
            return rest if number == str(index) else ""
    return order


@dataclass
class Stage:
    """``http`` sends no key; ``team`` makes a client of another team."""

    url: str
    http: httpx.AsyncClient
    services: Services
    temporal: Client
    steps: ObedientSteps
    task_queue: str
    stack: AsyncExitStack

    @property
    def database(self) -> Database:
        return self.services.database

    async def team(self) -> httpx.AsyncClient:
        team_id = await keys.create_team(self.database, f"team-{uuid4()}")
        key = await keys.create_key(self.database, team_id, "test")
        return await self.stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"{self.url}/api/v1",
                headers={"Authorization": f"Bearer {key.secret}"},
                timeout=WAIT_SECONDS,
                verify=False,  # It has no use for certificates, which take 6 ms to load.
            )
        )

    async def submit(self, *sources: str, **more: Any) -> str:
        """Submit a pipeline of code steps ``a``, ``b``, ...; the id of the task."""
        answer = await self.http.post("/tasks", json={"pipeline": pipeline(*sources), **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["task_id"])

    async def task(self, task_id: str, **query: int) -> dict[str, Any]:
        answer = await self.http.get(f"/tasks/{task_id}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, task_id: str, *statuses: str) -> dict[str, Any]:
        """The task, once it is in one of these states."""
        # Of an end the API tells by itself: each look would take a part of a processor.
        query = {"wait": MAX_WAIT_SECONDS} if FINAL.issuperset(statuses) else {}
        return await self.once(task_id, lambda task: task["status"] in statuses, **query)

    async def once(
        self, task_id: str, holds: Callable[[dict[str, Any]], bool], **query: int
    ) -> dict[str, Any]:
        """The task, once something holds for it."""
        began = time.monotonic()
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds(task := await self.task(task_id, **query)):
                await asyncio.sleep(pause_after(time.monotonic() - began))
        return task

    async def workflow(self, task_id: str) -> WorkflowHandle[Any, Any]:
        """That of a task, once it was started: a submission waits for it only a moment."""
        handle = self.temporal.get_workflow_handle(f"task-{task_id}")
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                with suppress(RPCError):
                    await handle.describe()
                    return handle
                await asyncio.sleep(0.05)

    async def ended(self, team: httpx.AsyncClient, task_id: str) -> None:
        """Return once a task of another team has ended."""
        async with team.stream("GET", f"/tasks/{task_id}/events") as response:
            async for _ in events_in(response):
                pass

    async def execute(self, statement: str, **values: object) -> None:
        async with self.database.writing() as connection:
            await connection.execute(text(statement), values)

    async def age(self, task_id: str, seconds: float = 3_600) -> None:
        """Make as if nothing had been heard of a task for so long."""
        await self.execute(
            "UPDATE tasks SET updated_at = now() - make_interval(secs => :seconds) WHERE id = :id",
            seconds=seconds,
            id=UUID(task_id),
        )


def pipeline(*sources: str) -> dict[str, Any]:
    steps = [
        {"id": name, "code": {"language": "shell", "source": source}}
        for name, source in zip("abcdefgh", sources, strict=False)
    ]
    return {"name": "test", "steps": steps}


@asynccontextmanager
async def api_stage(
    infrastructure: local.Services,
    skills: Path,
    *,
    temporal_address: str | None = None,
    works: bool = True,
    models: ModelOptions | None = None,
    servers: McpPolicy | None = None,
    codec: Codec | None = None,
    webhooks: WebhookOptions = LOOPBACK_WEBHOOKS,
    box: SecretBox | None = BOX,
    bucket: str | None = None,
    database_url: str | None = None,
    **options: Any,
) -> AsyncIterator[Stage]:
    """A served API. ``works`` says whether there is a worker. Without a ``database_url`` it has a
    database of its own."""
    queue = f"test-{uuid4().hex}"
    s3 = infrastructure.s3
    client = await Client.connect(
        temporal_address or infrastructure.temporal_address,
        data_converter=data_converter(codec),
        lazy=True,
    )
    own = migrated_database(infrastructure)
    async with nullcontext(database_url) if database_url else own as url:
        database = Database(url)
        store = S3Options(s3.endpoint, bucket or s3.bucket, s3.access_key, s3.secret_key)
        blobs = Blobs(store, Ledger(database))
        services = Services(
            database=database,
            blobs=blobs,
            temporal=TemporalPort(client, queue),
            catalogue=Catalogue([skills]),
            tools=Registry(),
            models=models,
            mcp=McpPool(policy=servers or McpPolicy.for_loopback(), environment=dict(os.environ)),
            inputs=InputPolicy(allowed_hosts=("files.example",), allowed_buckets=("shared",)),
            codec=codec,
            box=box,
            webhooks=webhooks,
            options=ApiOptions(**options),
        )
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            stack.push_async_callback(services.mcp.close)
            base = await stack.enter_async_context(_served(services))
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"{base}/api/v1", timeout=WAIT_SECONDS, verify=False)
            )
            stage = Stage(
                base, http, services, client, ObedientSteps(database, blobs), queue, stack
            )
            if works:
                await stack.enter_async_context(working(stage))
            yield stage


@asynccontextmanager
async def working(stage: Stage) -> AsyncIterator[None]:
    """A worker that obeys, while the block runs."""
    tasks = Tasks(stage.database)
    client = await Client.connect(
        stage.temporal.service_client.config.target_host,
        data_converter=data_converter(stage.services.codec),
    )
    worker = Worker(
        client,
        task_queue=stage.task_queue,
        workflows=[PipelineWorkflow, ScheduledRunWorkflow],
        activities=[
            *stage.steps.activities(),
            *tasks.activities(),
            *Items(stage.database).activities(),
            *Schedules(stage.services.installed).activities(),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        yield


async def end_schedules(stage: Stage, infrastructure: local.Services) -> None:
    """In Temporal, where they would run on beside all other tests."""
    async with stage.database.reading(fresh=True) as connection:
        ids = (await connection.scalars(text("SELECT id FROM schedules"))).all()
    client = await Client.connect(infrastructure.temporal_address)
    for schedule_id in ids:
        with suppress(RPCError):  # Temporal was never told of it, or is told no more.
            await client.get_schedule_handle(schedule_name(schedule_id)).delete()


@asynccontextmanager
async def _served(services: Services) -> AsyncIterator[str]:
    [port] = choose_ports([None])
    url = f"http://127.0.0.1:{port}"
    serving = asyncio.create_task(serve(create_app(services), "127.0.0.1", port))
    async with httpx.AsyncClient(verify=False) as client, asyncio.timeout(WAIT_SECONDS):
        while True:
            with suppress(httpx.ConnectError):
                if (await client.get(f"{url}/healthz")).is_success:
                    break
            await asyncio.sleep(0.01)
    try:
        yield url
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
