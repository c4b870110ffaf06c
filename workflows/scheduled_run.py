"""A run of a schedule: its task is made, and run to its end.

Temporal's schedules start workflows and know nothing of tasks. This one lasts as long as the task,
so that what a schedule does about overlapping runs holds for tasks.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from workflows import policies, ports
from workflows.contracts import TaskClose, workflow_id
from workflows.details import details_of_child, link, memo_of_child, page_of_workflow
from workflows.labels import StateLabel, labels_of_child
from workflows.priorities import priority_of
from workflows.schedule_contracts import (
    ScheduledCall,
    ScheduledResult,
    ScheduledRun,
    ScheduledStart,
)
from workflows.states import Status

# When a run was due, which Temporal notes on what its schedules start.
_DUE_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
# Between looks at a task that somebody else has started.
_FIRST_LOOK = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)


@workflow.defn
class ScheduledRunWorkflow:
    @workflow.init
    def __init__(self, run: ScheduledRun) -> None:
        self._schedule_id = run.schedule_id
        self._label = StateLabel()

    @workflow.run
    async def run(self, run: ScheduledRun) -> ScheduledResult | None:
        """Gives the task that was run; None where there was nothing to run."""
        try:
            result = await self._make_and_follow(run)
        except asyncio.CancelledError:
            self._label.show(Status.CANCELLED)
            raise
        self._label.show(Status.COMPLETED)
        return result

    async def _make_and_follow(self, run: ScheduledRun) -> ScheduledResult | None:
        start = await self._make(ScheduledCall(schedule_id=run.schedule_id, at=_due_at()))
        if start is None:
            return None
        page = page_of_workflow()
        workflow.set_current_details(f"its task is {link(page, 'tasks', start.task_id)}")
        await self._follow(start)
        return ScheduledResult(task_id=start.task_id)

    async def _make(self, call: ScheduledCall) -> ScheduledStart | None:
        making = asyncio.ensure_future(
            workflow.execute_local_activity_method(
                ports.Schedules.make_task, call, summary="make the task", **policies.RECORD
            )
        )
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            # The row may be written already, and must not wait for a start for ever.
            if (start := await making) is not None:
                await self._close(start)
            raise

    async def _follow(self, start: ScheduledStart) -> None:
        """Return when the task has ended, however it did: its row says how."""
        try:
            await self._run_child(start)
        except WorkflowAlreadyStartedError:
            # This run was reset, or somebody has started the task for it.
            await self._wait_for_other(start)
        except ChildWorkflowError as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                raise
        except asyncio.CancelledError:
            await self._close(start)
            raise

    async def _run_child(self, start: ScheduledStart) -> None:
        await workflow.execute_child_workflow(
            start.workflow,
            start.input,
            id=workflow_id(start.task_id),
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            # Whoever terminates this does not mean the task.
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            execution_timeout=policies.TASK_EXECUTION_TIMEOUT,
            memo=memo_of_child(start.run),
            static_summary=start.title,
            static_details=details_of_child(start.task_id, run_of=self._schedule_id),
            search_attributes=labels_of_child(start.workflow, start.title),
            priority=priority_of(start.priority, start.team_id, start.weight),
        )

    async def _wait_for_other(self, start: ScheduledStart) -> None:
        pause, is_told = _FIRST_LOOK, False
        while not await self._is_over(start):
            try:
                await workflow.sleep(pause.total_seconds(), summary="until the next look")
                pause = min(2 * pause, _LONGEST_PAUSE)
            except asyncio.CancelledError:
                await _cancel(start)
                pause, is_told = _FIRST_LOOK, True
        if is_told:
            raise asyncio.CancelledError

    async def _is_over(self, start: ScheduledStart) -> bool:
        return await workflow.execute_local_activity_method(
            ports.Schedules.is_over, start.task_id, summary="look at the task", **policies.RECORD
        )

    async def _close(self, start: ScheduledStart) -> None:
        close = TaskClose(
            task_id=start.task_id,
            team_id=start.team_id,
            run=start.run,
            status=Status.CANCELLED,
        )
        await workflow.execute_local_activity_method(
            ports.Tasks.close_task, close, summary=f"end: {close.status}", **policies.RECORD
        )


def _due_at() -> datetime:
    """One that somebody starts by hand was due when it began."""
    info = workflow.info()
    return info.typed_search_attributes.get(_DUE_AT) or info.start_time


async def _cancel(start: ScheduledStart) -> None:
    try:
        await workflow.get_external_workflow_handle(workflow_id(start.task_id)).cancel()
    except ApplicationError:
        workflow.logger.info("task.ended_before_it_was_cancelled")
