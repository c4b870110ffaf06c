"""Pipelines whose histories are kept: the workflow is the true one, its steps are scripted."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.attempts.heartbeat import heartbeating
from deploy.local.services import StackOptions
from deploy.local.stack import Stack
from workflows import ports
from workflows.contracts import Hold, TaskClose, TaskMark
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.labels import Labels
from workflows.lifecycle import TRY_AGAIN
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import (
    ItemsCall,
    OpenedItems,
    PipelineResult,
    PipelineRun,
    StepCall,
    StepOutcome,
    StepPlan,
)
from workflows.states import Status

# Where Temporal knows no search attributes, runs have none.
LABELS = Labels("default", "pipeline", "recorded")

TEAM = UUID("00000000-0000-4000-8000-000000000001")

Handle = WorkflowHandle[PipelineWorkflow, PipelineResult]


class ScriptedSteps(ports.Steps):
    """A step does what its name says: ``ok``, ``fail``, ``busy`` (retryable), ``slow``, ``deaf``
    (to cancellation), ``close`` (completes the task with it), ``held`` (twice, the second time for
    long)."""

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        return await self._perform(call)

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        return await self._perform(call)

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        return await self._perform(call)

    async def _perform(self, call: StepCall) -> StepOutcome:
        what = call.step.split("_")[0]
        if what in ("fail", "busy"):
            raise ApplicationError("scripted", type="script-failed", non_retryable=what == "fail")
        if what == "slow":
            async with heartbeating():
                await asyncio.sleep(60 if call.step == "slow_long" else 0.5)
        if what == "deaf":
            async with heartbeating():
                await _sleep_on(1)
        if what == "held" and call.tried < 2:
            hold = Hold(seconds=3_600 if call.tried else 0.3, tried=call.tried + 1)
            return StepOutcome(exit_code=0, files=0, held=hold)
        return StepOutcome(exit_code=0, files=0, closed=what == "close")


class ScriptedItems(ports.Items):
    """A step has as many items as its name says last: ``ok_3`` has three."""

    @activity.defn
    async def open_items(self, call: ItemsCall) -> OpenedItems:
        count = int(call.step.rsplit("_", 1)[1])
        return OpenedItems(count=count, items=tuple(range(count)))

    @activity.defn
    async def close_items(self, call: ItemsCall) -> None:
        pass


class SilentTasks(ports.Tasks):
    """``SLOW_TO_RESUME`` and ``SLOW_TO_CLOSE`` take longer than a workflow task to do so, and what
    comes meanwhile is heard of meanwhile."""

    @activity.defn
    async def mark_task(self, mark: TaskMark) -> None:
        if mark.status is Status.RUNNING and mark.task_id == SLOW_TO_RESUME.task_id:
            await asyncio.sleep(14)

    @activity.defn
    async def close_task(self, close: TaskClose) -> Status | None:
        if close.task_id == SLOW_TO_CLOSE.task_id:
            await asyncio.sleep(14)
        return close.status


async def _sleep_on(seconds: float) -> None:
    """Sleep, whoever cancels."""
    sleep = asyncio.ensure_future(asyncio.sleep(seconds))
    while not sleep.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(sleep)


def pipeline_run(*steps: str, first: int = 0, run: int = 1, kind: str = "code") -> PipelineRun:
    plans = [
        StepPlan.model_validate(
            {"id": step, "kind": kind, "title": step, "timeout_seconds": 60, "retries": 1}
        )
        for step in steps
    ]
    return PipelineRun(task_id=uuid4(), team_id=TEAM, run=run, steps=tuple(plans), first=first)


def graph_run(
    needs: Mapping[str, Sequence[str]], *, items: Collection[str] = (), parallel: int = 3
) -> PipelineRun:
    """Steps that wait for each other as said; those of ``items`` run once for each of theirs."""
    run = pipeline_run(*needs)
    steps = [
        step.model_copy(update={"needs": tuple(needs[step.id]), "has_items": step.id in items})
        for step in run.steps
    ]
    return run.model_copy(update={"steps": tuple(steps), "is_graph": True, "parallel": parallel})


async def _leave_alone(handle: Handle) -> None:
    """The workflow ends by itself."""


async def _pause_and_resume(handle: Handle) -> None:
    await asyncio.sleep(0.2)
    await handle.signal(PipelineWorkflow.pause)
    await asyncio.sleep(0.8)
    await handle.signal(PipelineWorkflow.resume)


async def _pause_while_resuming(handle: Handle) -> None:
    await _pause_and_resume(handle)
    await asyncio.sleep(2)
    await handle.signal(PipelineWorkflow.pause)
    await asyncio.sleep(16)
    await handle.signal(PipelineWorkflow.resume)


async def _cancel(handle: Handle) -> None:
    await asyncio.sleep(0.3)
    await handle.cancel()


async def _pause_and_cancel(handle: Handle) -> None:
    await asyncio.sleep(0.2)
    await handle.signal(PipelineWorkflow.pause)
    await asyncio.sleep(0.8)
    await handle.cancel()


async def _tell_to_try_again(handle: Handle) -> None:
    await asyncio.sleep(1.5)
    await handle.signal(TRY_AGAIN)


async def _tell_to_try_again_late(handle: Handle) -> None:
    await asyncio.sleep(8)
    await handle.signal(TRY_AGAIN)


async def _cancel_late(handle: Handle) -> None:
    await asyncio.sleep(3)
    await handle.cancel()


SLOW_TO_RESUME = pipeline_run("slow_1", "ok_2")
SLOW_TO_CLOSE = pipeline_run("ok_1")

DIAMOND = {"ok_a": [], "ok_b": ["ok_a"], "slow_b": ["ok_a"], "ok_d": ["ok_b", "slow_b"]}
HELD = {**DIAMOND, "held_c": ["ok_a"]}
ITEMS = {"ok_a": [], "ok_12": ["ok_a"], "ok_0": [], "ok_d": ["ok_12", "ok_0"]}
SLOW_ITEMS = {"slow_6": [], "ok_d": ["slow_6"]}

SCENES: dict[str, tuple[PipelineRun, Callable[[Handle], Awaitable[None]]]] = {
    "pipeline-completed": (pipeline_run("ok_1", "ok_2", "ok_3"), _leave_alone),
    "pipeline-completed-with-its-last-step": (pipeline_run("ok_1", "close_2"), _leave_alone),
    "pipeline-long": (pipeline_run(*(f"ok_{number}" for number in range(100))), _leave_alone),
    "pipeline-skills-and-tools": (pipeline_run("ok_1", kind="tool"), _leave_alone),
    "pipeline-failed": (pipeline_run("ok_1", "fail_2", "ok_3"), _leave_alone),
    "pipeline-blocked": (pipeline_run("ok_1", "busy_2", "ok_3"), _leave_alone),
    "pipeline-cancelled": (pipeline_run("ok_1", "slow_long", "ok_3"), _cancel),
    "pipeline-cancelled-in-vain": (pipeline_run("deaf_1", "ok_2"), _cancel),
    "pipeline-cancelled-while-closing": (SLOW_TO_CLOSE, _cancel_late),
    "pipeline-paused-and-resumed": (pipeline_run("slow_1", "ok_2"), _pause_and_resume),
    "pipeline-paused-while-resuming": (SLOW_TO_RESUME, _pause_while_resuming),
    "pipeline-cancelled-while-paused": (pipeline_run("slow_1", "ok_2"), _pause_and_cancel),
    "pipeline-listed": (pipeline_run("slow_1", "ok_2"), _pause_and_resume),
    "pipeline-held": (pipeline_run("ok_1", "held_2", "ok_3"), _tell_to_try_again),
    "pipeline-cancelled-while-held": (pipeline_run("held_1", "ok_2"), _cancel_late),
    "pipeline-graph": (graph_run(DIAMOND), _leave_alone),
    "pipeline-graph-failed": (graph_run({**DIAMOND, "fail_c": ["ok_a"]}), _leave_alone),
    "pipeline-graph-cancelled": (graph_run({**DIAMOND, "slow_long": ["ok_a"]}), _cancel),
    "pipeline-graph-held": (graph_run(HELD), _tell_to_try_again_late),
    "pipeline-items": (graph_run(ITEMS, items=["ok_12", "ok_0"]), _leave_alone),
    "pipeline-items-paused": (graph_run(SLOW_ITEMS, items=["slow_6"]), _pause_and_resume),
    "pipeline-items-failed": (graph_run({"fail_5": []}, items=["fail_5"]), _leave_alone),
    "pipeline-retried-from-a-step": (
        pipeline_run("ok_1", "ok_2", "ok_3", first=1, run=2),
        _leave_alone,
    ),
}


async def play(names: Collection[str], keep: Callable[[str, WorkflowHistory], None]) -> None:
    """Play these scenes, and have the history of each kept."""
    folder = Path(tempfile.mkdtemp(prefix="agentos-record-"))
    options = StackOptions(folder, application=False, default_ports=False)
    async with Stack(options) as services:
        client = await Client.connect(services.temporal_address, data_converter=DATA_CONVERTER)
        steps, items, tasks = ScriptedSteps(), ScriptedItems(), SilentTasks()
        worker = Worker(
            client,
            task_queue="record",
            workflows=[PipelineWorkflow],
            activities=[*steps.activities(), *items.activities(), *tasks.activities()],
            build_id=build_id("test"),
        )
        async with worker:
            for name in names:
                run, act = SCENES[name]
                handle = await client.start_workflow(
                    PipelineWorkflow.run,
                    run,
                    id=f"record-{name}",
                    task_queue="record",
                    search_attributes=LABELS.attributes if name.endswith("-listed") else None,
                )
                await act(handle)
                with suppress(WorkflowFailureError):
                    await handle.result()
                keep(name, await handle.fetch_history())
