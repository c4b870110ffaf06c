"""The Temporal worker: hosts workflows and activities, and stops gracefully."""

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import workflows
from activities.attempts import heartbeat
from workflows.conversation import ConversationWorkflow
from workflows.discovery import modules_of
from workflows.generation import build_id
from workflows.lifecycle import TaskWorkflow
from workflows.ports import Port
from workflows.scheduled_run import ScheduledRunWorkflow

# Heartbeats must not be held back: cancellation comes with the answer to one.
HEARTBEAT_THROTTLE = timedelta(seconds=heartbeat.INTERVAL_SECONDS)

# Threads for blocking calls (files, the S3 client), beyond those of the steps themselves.
SPARE_THREADS = 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """``stop_seconds`` is how long running steps may continue once the worker is stopped."""

    task_queue: str
    running_steps: int
    stop_seconds: float
    version: str


@asynccontextmanager
async def hosting(
    client: Client, ready: Sequence[Port], options: WorkerOptions
) -> AsyncIterator[Worker]:
    """A worker that polls while the block runs. Steps that outlast the stop are given back."""
    threads = concurrent.futures.ThreadPoolExecutor(options.running_steps * 2 + SPARE_THREADS)
    asyncio.get_running_loop().set_default_executor(threads)
    worker = build(client, ready, options)
    async with worker:
        log.info("worker.started", task_queue=options.task_queue, steps=options.running_steps)
        yield worker
        log.info("worker.stopping", grace_seconds=options.stop_seconds)


def task_workflows() -> Sequence[type[TaskWorkflow]]:
    """The workflows of all types of tasks: whatever the modules of ``workflows`` define."""
    return [
        each
        for module in modules_of(workflows)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, TaskWorkflow)
        # Not what it imports, such as their base.
        if each.__module__ == module.__name__ and each is not TaskWorkflow
    ]


def hosted_workflows() -> Sequence[type]:
    """Those of tasks, and what runs beside them."""
    return [*task_workflows(), ScheduledRunWorkflow, ConversationWorkflow]


def build(client: Client, ready: Sequence[Port], options: WorkerOptions) -> Worker:
    return Worker(
        client,
        task_queue=options.task_queue,
        workflows=hosted_workflows(),
        activities=[each for port in ready for each in port.activities()],
        # Temporal's sandbox for workflow code costs 10 ms a run and guards against what cannot
        # happen here: `workflows` imports no I/O, which import-linter holds, and its histories are
        # replayed within that sandbox by the tests.
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=options.running_steps,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        graceful_shutdown_timeout=timedelta(seconds=options.stop_seconds),
        build_id=build_id(options.version),
    )
