"""What the sweeper mends: tasks without a workflow, and workflows that ended without a word."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import text
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError

from activities.kinds.table import KINDS
from activities.store import tasks
from api import services
from api.tasks import runs
from api.tasks.starts import FIRST_LIMIT
from api.tasks.sweeper import Sweeper
from api.tasks.temporal import TemporalPort
from api.tasks.temporal_calls import CALL_TIMEOUT_SECONDS
from api.temporal_labels import Appearance
from deploy.local.services import Services
from deploy.local.tcp_ports import choose_ports
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline, working
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from tests.pressure import allowed
from workflows.contracts import workflow_id
from workflows.definitions.pipeline import Pipeline
from workflows.errors import TemporaryFailure
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import step_sub_task_id
from workflows.states import TaskType

NEVER = 3_600.0


@pytest.fixture
async def idle(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API without a worker, whose own sweeper sleeps: the test sweeps itself."""
    async with api_stage(
        infrastructure, skills_folder, works=False, sweep_interval_seconds=NEVER
    ) as stage:
        yield stage


async def _unstarted(stage: Stage, *sources: str) -> str:
    """A task whose row is written and whose workflow was not started: the API died in between."""
    definition = Pipeline.model_validate(pipeline(*sources or ("print x",)))
    task = new_task(TaskType.PIPELINE, definition)
    await tasks.create_task(stage.database, task)
    return str(task.id)


async def _status_in_temporal(stage: Stage, task_id: str) -> WorkflowExecutionStatus | None:
    execution = await stage.services.temporal.find(UUID(task_id))
    return execution and execution.status


# Tasks without a workflow.


async def test_a_task_that_was_written_but_not_started_is_started(idle: Stage) -> None:
    task_id = await _unstarted(idle)
    await idle.age(task_id, 4)
    await Sweeper(idle.services).sweep()
    assert await _status_in_temporal(idle, task_id) is WorkflowExecutionStatus.RUNNING
    async with working(idle):
        await idle.until(task_id, "completed")


async def test_a_task_that_was_just_written_is_left_to_who_writes_it(idle: Stage) -> None:
    task_id = await _unstarted(idle)
    await Sweeper(idle.services).sweep()
    assert await _status_in_temporal(idle, task_id) is None


async def test_a_task_that_waits_for_a_worker_is_left_alone(idle: Stage) -> None:
    task_id = await idle.submit("print x")
    await idle.age(task_id)
    with structlog.testing.capture_logs() as lines:
        await Sweeper(idle.services).sweep()
    assert [line for line in lines if line["event"] == "task.swept"] == []
    async with working(idle):
        task = await idle.until(task_id, "completed")
    assert task["usage"]["attempts"] == 1


async def test_many_sweepers_at_once_start_a_task_once(idle: Stage) -> None:
    ids = [await _unstarted(idle) for _ in range(10)]
    for task_id in ids:
        await idle.age(task_id)
    sweepers = [Sweeper(idle.services) for _ in range(5)]
    async with working(idle):
        await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
        for task_id in ids:
            task = await idle.until(task_id, "completed")
            assert task["usage"]["attempts"] == 1


async def test_only_one_sweeper_works_at_a_time(idle: Stage) -> None:
    task_id = await _unstarted(idle)
    await idle.age(task_id)
    async with idle.database.writing() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(4207116904)"))
        await Sweeper(idle.services).sweep()
        assert await _status_in_temporal(idle, task_id) is None
    await Sweeper(idle.services).sweep()
    assert await _status_in_temporal(idle, task_id) is WorkflowExecutionStatus.RUNNING


@pytest.mark.parametrize("change", ["type = 'dream'", "definition = '{}'"])
async def test_a_task_that_only_another_version_can_read_does_not_hold_up_others(
    idle: Stage, change: str
) -> None:
    unreadable, other = await _unstarted(idle), await _unstarted(idle)
    await idle.execute(f"UPDATE tasks SET {change} WHERE id = :id", id=UUID(unreadable))
    await idle.age(unreadable, 10)
    await idle.age(other, 5)
    sweeper = Sweeper(idle.services)
    with structlog.testing.capture_logs() as lines:
        await sweeper.sweep()
        await sweeper.sweep()
    assert await _status_in_temporal(idle, other) is WorkflowExecutionStatus.RUNNING
    told = [line["task_id"] for line in lines if line["event"] == "task.unreadable"]
    assert told == [unreadable]


async def test_a_previous_run_that_does_not_end_delays_no_other_task(idle: Stage) -> None:
    task_id = await idle.submit("print x")
    await idle.workflow(task_id)
    task = new_task(TaskType.PIPELINE, Pipeline.model_validate(pipeline("print x")))
    run = await KINDS[task.type].message(idle.services.installed, replace(task, id=UUID(task_id)))
    next_run = run.model_copy(update={"run": 2})
    with pytest.raises(TemporaryFailure, match="previous run"):
        await idle.services.temporal.start(
            PipelineWorkflow, next_run, appearance=Appearance("x"), priority=5
        )
    other = await idle.workflow(await idle.submit("print x"))
    assert (await other.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_the_next_run_is_started_though_the_last_one_has_a_workflow(idle: Stage) -> None:
    async with working(idle):
        task_id = await idle.submit("print x")
        await idle.until(task_id, "completed")
        await idle.temporal.get_workflow_handle(f"task-{task_id}").result()
        again = [step_sub_task_id(UUID(task_id), "a")]
        assert await restart(idle.database, UUID(task_id), 1, first_step=0, again=again, inputs={})
        await idle.age(task_id)
        await Sweeper(idle.services).sweep()
        task = await idle.until(task_id, "completed")
    assert task["run"] == 2
    assert task["usage"]["attempts"] == 2


async def test_a_late_start_of_a_task_that_has_ended_runs_nothing(stage: Stage) -> None:
    task_id = await stage.submit("fail")
    await stage.until(task_id, "failed")
    definition = Pipeline.model_validate(pipeline("fail"))
    handle = stage.temporal.get_workflow_handle(f"task-{task_id}")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    task = new_task(TaskType.PIPELINE, definition, task_id=UUID(task_id))
    await runs.start(stage.services, task)
    with pytest.raises(WorkflowFailureError):
        await stage.temporal.get_workflow_handle(f"task-{task_id}").result()
    task = await stage.task(task_id)
    assert task["status"] == "failed"
    assert task["usage"]["attempts"] == 1


# Many tasks.


async def test_tasks_that_wait_do_not_hide_one_that_was_not_started(idle: Stage) -> None:
    for _ in range(12):
        await idle.age(await idle.submit("print x"), 7_200)
    task_id = await _unstarted(idle)
    await idle.age(task_id)
    sweeper = Sweeper(_forgetful(idle), settled_a_pass=5)
    for _ in range(3):
        await sweeper.sweep()
    assert await _status_in_temporal(idle, task_id) is WorkflowExecutionStatus.RUNNING


class Hanging(TemporalPort):
    """Never says anything of one task."""

    silent_of: UUID | None = None

    async def find(self, task_id: UUID, *, seconds: float = CALL_TIMEOUT_SECONDS) -> Any:
        if task_id == self.silent_of:
            await asyncio.sleep(NEVER)
        return await super().find(task_id, seconds=seconds)


async def test_a_task_of_which_temporal_says_nothing_holds_up_no_other(idle: Stage) -> None:
    silent, other = await _unstarted(idle), await _unstarted(idle)
    await idle.age(silent, 10)
    await idle.age(other, 5)
    temporal = Hanging(idle.temporal, idle.task_queue)
    temporal.silent_of = UUID(silent)
    sweeping = asyncio.create_task(Sweeper(replace(idle.services, temporal=temporal)).sweep())
    async with asyncio.timeout(WAIT_SECONDS):
        while await _status_in_temporal(idle, other) is not WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.02)
    sweeping.cancel()
    with suppress(asyncio.CancelledError):
        await sweeping


class Refusing(TemporalPort):
    """Never starts one task."""

    refused: UUID | None = None

    async def start(self, workflow: Any, run: Any, **more: Any) -> None:
        if run.task_id == self.refused:
            raise TemporaryFailure(service="Temporal", reason="INVALID_ARGUMENT")
        await super().start(workflow, run, **more)


async def test_a_task_that_temporal_refuses_ends_no_pass_before_all_others_were_tried(
    idle: Stage,
) -> None:
    refused, other = await _unstarted(idle), await _unstarted(idle)
    for task_id in (refused, other):
        await idle.age(task_id, 10)
    terminated = await idle.submit("print x")
    await (await idle.workflow(terminated)).terminate()
    temporal = Refusing(idle.temporal, idle.task_queue)
    temporal.refused = UUID(refused)
    sweeper = Sweeper(replace(idle.services, temporal=temporal))
    said = ""
    async with asyncio.timeout(WAIT_SECONDS):
        while (await idle.task(terminated))["status"] == "pending":
            # On a busy machine, another call may have failed before it, for want of an answer.
            with pytest.raises(TemporaryFailure) as failure:
                await sweeper.sweep()
            said += str(failure.value)
    assert "INVALID_ARGUMENT" in said
    assert await _status_in_temporal(idle, other) is WorkflowExecutionStatus.RUNNING


async def test_parked_tasks_are_started_by_priority(idle: Stage) -> None:
    """Of many, when a pass takes only some."""
    for _ in range(4):
        await idle.age(await _unstarted(idle), 20)
    urgent = await _unstarted(idle)
    await idle.execute("UPDATE tasks SET priority = 9 WHERE id = :id", id=UUID(urgent))
    await idle.age(urgent, 10)
    await Sweeper(idle.services, settled_a_pass=1).sweep()
    assert await _status_in_temporal(idle, urgent) is WorkflowExecutionStatus.RUNNING


# Workflows that ended without a word.


async def test_a_pending_task_terminated_in_temporal_shows_as_cancelled(idle: Stage) -> None:
    task_id = await idle.submit("print x", "print y")
    await (await idle.workflow(task_id)).terminate(reason="it costs too much")
    task = await _swept(idle, task_id)
    assert task["status"] == "cancelled"
    assert task["error"]["code"] == "terminated"
    assert "it costs too much" in task["error"]["message"]
    assert {step["status"] for step in task["sub_tasks"]} == {"cancelled"}


async def test_a_running_task_terminated_in_temporal_shows_as_cancelled(stage: Stage) -> None:
    task_id = await stage.submit("wait", "print y")
    await stage.until(task_id, "running")
    await stage.temporal.get_workflow_handle(f"task-{task_id}").terminate()
    # The API's own sweeper sees it.
    task = await stage.until(task_id, "cancelled")
    assert [step["status"] for step in task["sub_tasks"]] == ["cancelled", "cancelled"]
    events = (await stage.http.get(f"/tasks/{task_id}/events")).text
    assert '"status": "cancelled"' in events


async def test_a_task_cancelled_in_temporal_shows_as_cancelled(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await stage.until(task_id, "running")
    await stage.temporal.get_workflow_handle(f"task-{task_id}").cancel()
    await stage.until(task_id, "cancelled")


async def test_a_task_whose_workflow_timed_out_shows_as_failed(idle: Stage) -> None:
    task_id = await _unstarted(idle)
    definition = Pipeline.model_validate(pipeline("print x"))
    task = new_task(TaskType.PIPELINE, definition, task_id=UUID(task_id))
    run = await KINDS[task.type].message(idle.services.installed, task)
    handle = await idle.temporal.start_workflow(
        PipelineWorkflow.run,
        run,
        id=f"task-{task_id}",
        task_queue=idle.task_queue,
        memo={"run": 1},
        execution_timeout=timedelta(milliseconds=100),
    )
    async with asyncio.timeout(WAIT_SECONDS):
        while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.05)
    task = await _swept(idle, task_id)
    assert task["status"] == "failed"
    assert task["error"]["code"] == "workflow-timed-out"


@pytest.mark.parametrize(
    ("ends", "status", "code"),
    [
        ("failed", "failed", "workflow-failed"),
        ("cancelled", "cancelled", "cancelled"),
        ("completed", "failed", "result-lost"),
    ],
)
async def test_a_row_that_lost_its_end_gets_it_back(
    idle: Stage, ends: str, status: str, code: str
) -> None:
    """As after the database was restored from a backup."""
    task_id = await idle.submit("fail" if ends == "failed" else "wait")
    async with working(idle):
        await idle.once(task_id, lambda task: task["status"] != "pending")
        if ends == "cancelled":
            await idle.http.post(f"/tasks/{task_id}/cancel")
        else:
            idle.steps.released.set()
        await idle.until(task_id, ends)
        handle = idle.temporal.get_workflow_handle(f"task-{task_id}")
        async with asyncio.timeout(WAIT_SECONDS):
            while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(0.05)
    await idle.execute(
        "UPDATE tasks SET status = 'running', error = NULL, finished_at = NULL WHERE id = :id",
        id=UUID(task_id),
    )
    await idle.age(task_id)
    task = await _swept(idle, task_id)
    assert task["status"] == status
    assert task["error"]["code"] == code


async def test_a_running_task_whose_workflow_is_gone_is_started_again(idle: Stage) -> None:
    """As after Temporal lost its data."""
    task_id = await _unstarted(idle, "print x", "print y")
    await idle.execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=UUID(task_id))
    await idle.age(task_id)
    await Sweeper(idle.services).sweep()
    async with working(idle):
        await idle.until(task_id, "completed")


async def test_a_terminated_workflow_of_an_earlier_run_is_no_end(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await stage.until(task_id, "running")
    await stage.temporal.get_workflow_handle(f"task-{task_id}").terminate()
    await stage.until(task_id, "cancelled")
    await stage.http.post(f"/tasks/{task_id}/retry")
    await stage.until(task_id, "running")
    await Sweeper(stage.services).sweep()
    assert (await stage.task(task_id))["status"] == "running"
    await stage.http.post(f"/tasks/{task_id}/cancel")
    await stage.until(task_id, "cancelled")


# Temporal is away.


async def test_a_task_is_accepted_while_temporal_is_away_and_started_when_it_is_back(
    infrastructure: Services, skills_folder: Path
) -> None:
    [port] = choose_ports([None])
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        temporal_address=f"127.0.0.1:{port}",
        sweep_interval_seconds=0.1,
    ) as stage:
        task_id = await stage.submit("print x")
        assert (await stage.task(task_id))["status"] == "pending"
        for action in ("cancel", "pause"):
            answer = await stage.http.post(f"/tasks/{task_id}/{action}")
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "2"
        async with _forwarding(port, infrastructure.temporal_address), working(stage):
            await stage.age(task_id)
            task = await stage.until(task_id, "completed")
    assert task["usage"]["attempts"] == 1


async def test_a_submission_does_not_wait_for_a_temporal_that_is_silent(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with (
        _silent() as port,
        api_stage(
            infrastructure,
            skills_folder,
            works=False,
            temporal_address=f"127.0.0.1:{port}",
            sweep_interval_seconds=NEVER,
        ) as stage,
    ):
        loop = asyncio.get_running_loop()
        before = loop.time()
        await stage.submit("print x")
        assert loop.time() - before < allowed(CALL_TIMEOUT_SECONDS)


async def test_urgent_tasks_start_first_when_temporal_was_slow(
    infrastructure: Services, skills_folder: Path
) -> None:
    """Slow is not away: it holds up what was submitted, and leaves the order to priorities."""
    [port] = choose_ports([None])
    flowing = asyncio.Event()
    flowing.set()
    async with (
        _forwarding(port, infrastructure.temporal_address, flowing),
        api_stage(
            infrastructure,
            skills_folder,
            works=False,
            temporal_address=f"127.0.0.1:{port}",
            sweep_interval_seconds=0.2,
        ) as stage,
    ):
        await stage.submit("print x")  # It is connected from now on.
        flowing.clear()
        slack = [await stage.submit("print x", priority=1) for _ in range(30)]
        urgent = [await stage.submit("print x", priority=10) for _ in range(5)]
        await asyncio.sleep(CALL_TIMEOUT_SECONDS)
        flowing.set()
        moments = {task_id: await _started_at(stage, task_id) for task_id in (*slack, *urgent)}
    in_order = sorted(moments, key=lambda task_id: moments[task_id])
    # A few were on their way when it became slow, and a few begin together with the last of them.
    assert set(urgent) <= set(in_order[: len(urgent) + 2 * FIRST_LIMIT])


async def test_the_sweeper_says_once_that_temporal_is_away_and_goes_on(
    infrastructure: Services, skills_folder: Path
) -> None:
    [port] = choose_ports([None])
    with structlog.testing.capture_logs() as lines:
        async with api_stage(
            infrastructure,
            skills_folder,
            works=False,
            temporal_address=f"127.0.0.1:{port}",
            sweep_interval_seconds=0.05,
        ) as stage:
            await stage.submit("print x")
            await _until_said(lines, "sweeper.failing")
            async with _forwarding(port, infrastructure.temporal_address):
                await _until_said(lines, "sweeper.recovered")
    assert [line["event"] for line in lines].count("sweeper.failing") == 1


async def test_while_all_tasks_have_ended_the_sweeper_asks_temporal_for_nothing(
    infrastructure: Services, skills_folder: Path
) -> None:
    [port] = choose_ports([None])
    async with api_stage(
        infrastructure,
        skills_folder,
        works=False,
        temporal_address=f"127.0.0.1:{port}",
        sweep_interval_seconds=NEVER,
    ) as stage:
        await Sweeper(stage.services).sweep()
        await stage.submit("print x")
        with pytest.raises(TemporaryFailure):
            await Sweeper(stage.services).sweep()


def _forgetful(stage: Stage) -> services.Services:
    """The stage's services after a restart: nothing is known of what was seen running."""
    return replace(stage.services, temporal=TemporalPort(stage.temporal, stage.task_queue))


async def _started_at(stage: Stage, task_id: str) -> datetime:
    """When the workflow of a task was started, once it was."""
    client = await Client.connect(stage.temporal.service_client.config.target_host)
    handle = client.get_workflow_handle(workflow_id(UUID(task_id)))
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            with suppress(RPCError):
                return (await handle.describe()).start_time
            await asyncio.sleep(0.05)


async def _swept(stage: Stage, task_id: str) -> dict[str, Any]:
    """The task once a sweeper has found its end. Temporal's lists lag a little behind."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (task := await stage.task(task_id))["finished_at"] is None:
            await Sweeper(_forgetful(stage)).sweep()
    return task


async def _until_said(lines: Sequence[Any], event: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while event not in [line["event"] for line in lines]:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _forwarding(
    port: int, address: str, flowing: asyncio.Event | None = None
) -> AsyncIterator[None]:
    """Temporal is there: what comes in at ``port`` goes to ``address``, while it is ``flowing``."""
    host, _, there = address.rpartition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if flowing is not None:
                    await flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_there, to_there = await asyncio.open_connection(host, int(there))
        await asyncio.gather(pump(reader, to_there), pump(from_there, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", port) as server:
        try:
            yield
        finally:
            server.close()


@asynccontextmanager
async def _silent() -> AsyncIterator[int]:
    """A port that takes connections and never answers."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
