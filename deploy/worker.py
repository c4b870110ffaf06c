"""From settings to a running worker."""

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import uv
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from activities.agents.turn import TurnOptions
from activities.patience import patiently
from activities.payloads import Codec, data_converter
from activities.sandbox import backends
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.tidying import keep_tidy
from api import garbage_collector
from deploy import temporal_connection, variables
from deploy.bootstrap import mcp_pool, stores
from deploy.folders import remove_former, work_folder
from deploy.monitored import Monitored
from deploy.settings import Settings
from deploy.worker_end import beside, force_end
from deploy.worker_identity import worker_identity
from worker.adapters import AdapterOptions, adapters
from worker.host import WorkerOptions, hosting
from worker.readiness import polling
from worker.warming import warming
from workflows.backoff import Backoff
from workflows.errors import TemporaryFailure
from workflows.errors.services import StoreRefused

Result = TypeVar("Result")

# A worker starts beside its services, and is to be late by little when they are there.
_STARTING = Backoff(first_seconds=0.05, longest_seconds=0.2)


async def run_worker(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT. Waits for PostgreSQL, its tables and Temporal."""
    stop = _stop_signal(settings.stop_seconds)
    worker_id = worker_identity()
    monitored = Monitored(settings)
    async with monitored.serving(), stores(settings, ping=False) as (database, blobs):
        options = await asyncio.to_thread(_adapter_options, settings, worker_id)
        temporal_connection.connection()  # What is wrong with it is said before all waiting.
        sandbox = backends.build(settings.sandbox, settings.sandbox_options(options.work_folder))
        try:
            garbage_collector.resume()
            runtime = monitored.temporal.runtime
            client = await _unless(stop, _client(settings, database, worker_id, runtime))
            if client is None:
                return
            hosted = WorkerOptions(
                task_queue=settings.task_queue,
                running_steps=settings.running_steps,
                stop_seconds=settings.stop_seconds,
                version=version("agentos"),
            )
            async with (
                mcp_pool(settings, database) as mcp,
                monitored.measuring(database, mcp, options.work_folder),
                adapters(
                    database, blobs, sandbox, mcp, options, numbers=monitored.numbers
                ) as ready,
                hosting(client, ready, hosted),
                monitored.ready(
                    {
                        "postgres": database.check,
                        "temporal": polling(client, settings.task_queue),
                        "s3": partial(_check_bucket, blobs),
                    },
                    sandbox,
                ),
                warming(sandbox, settings.limits),
            ):
                beside(partial(remove_former, settings.data_dir))
                beside(partial(keep_tidy, options.work_folder, settings.cache_seconds))
                await stop.wait()
                monitored.drain()
        finally:
            await sandbox.close()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What comes of the work; None, and an end to it, where the worker is stopped before."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait({working, stopping})


async def _check_bucket(blobs: Blobs) -> None:
    if not await blobs.check():
        raise StoreRefused(reason=f"there is no bucket {blobs.bucket}")


async def _client(
    settings: Settings, database: Database, worker_id: str, runtime: Runtime
) -> Client:
    await patiently(database.check, backoff=_STARTING)
    return await _connect(settings.codec_keys, identity=worker_id, runtime=runtime)


async def _connect(codec_keys: Sequence[bytes], *, identity: str, runtime: Runtime) -> Client:
    """Connect to Temporal as its own environment variables say, however long that takes."""

    codec = Codec(codec_keys) if codec_keys else None

    async def attempt() -> Client:
        try:
            client = await Client.connect(
                **temporal_connection.connection(),
                data_converter=data_converter(codec),
                identity=identity,
                runtime=runtime,
            )
            # A server that is starting may not have it yet, and a worker asks once.
            namespace = DescribeNamespaceRequest(namespace=client.namespace)
            await client.workflow_service.describe_namespace(namespace)
        except (RuntimeError, RPCError) as error:
            raise TemporaryFailure(service="Temporal", reason=str(error)[:300]) from error
        return client

    return await patiently(attempt)


def _adapter_options(settings: Settings, worker_id: str) -> AdapterOptions:
    return AdapterOptions(
        worker_id=worker_id,
        work_folder=work_folder(settings.data_dir),
        skill_folders=settings.skill_folders,
        tool_folders=settings.tool_folders,
        uv=Path(uv.find_uv_bin()),
        limits=settings.limits,
        input_policy=settings.input_policy,
        environment=variables.inherited(),
        networked_skills=settings.networked_skills,
        python_downloads=settings.python_downloads,
        models=settings.model_options,
        turns=TurnOptions(
            settings.team_daily_tokens, settings.approval_seconds, settings.atomicity
        ),
        search_url=settings.search_url,
        public_url=settings.public_url,
        titles=settings.titles,
        breakers=settings.breaker_options,
        memory=settings.memory_options(settings.team_daily_tokens),
        max_thinking_agents=settings.resident_options.thinking,
        conversations=settings.conversation_options,
        residents=settings.resident_options,
        reminders=settings.reminder_limits,
    )


def _stop_signal(stop_seconds: float) -> asyncio.Event:
    stop = asyncio.Event()

    def end() -> None:
        if not stop.is_set():
            force_end(stop_seconds)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    return stop
