"""The workflows of tasks, seen from the API: start, find, cancel, signal."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from typing import Any, Literal
from uuid import UUID

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
)
from temporalio.common import (
    Priority,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.residents.temporal import TemporalConversations
from api.schedules.temporal import TemporalSchedules
from api.tasks.temporal_calls import (
    CALL_TIMEOUT_SECONDS,
    PATIENT_TIMEOUT_SECONDS,
    summary,
    temporal_errors,
    unless_ended,
)
from api.temporal_labels import Appearance, Labelling
from workflows import policies
from workflows.agent_contracts import Decision
from workflows.backoff import Backoff
from workflows.contracts import TaskRun, workflow_id
from workflows.details import memo
from workflows.errors import RunNotEnded
from workflows.lifecycle import TRY_AGAIN, TaskWorkflow
from workflows.priorities import priority_of

# A workflow ends a moment after the row that says so: a retry by a person may come in between.
_PREVIOUS_RUN = Backoff(first_seconds=0.025, times=5)

_PATIENCE = timedelta(seconds=CALL_TIMEOUT_SECONDS)
_ENDED_LISTED = 1_000
# A worker that has nothing to do asks again every minute; Temporal remembers it for five.
_POLLED_WITHIN = timedelta(seconds=90)
_RUNS_REMEMBERED = 20_000

log = structlog.get_logger(__name__)

_Start = Callable[[WorkflowIDReusePolicy, WorkflowIDConflictPolicy], Awaitable[None]]
Signal = Literal["pause", "resume"]


@dataclass(frozen=True, slots=True)
class Execution:
    """The latest workflow of a task. ``run`` is the run of the task that it was started for.

    One that continues as new, or is reset, becomes another execution of the same run.
    """

    run: int
    run_id: str
    status: WorkflowExecutionStatus

    @property
    def is_running(self) -> bool:
        return self.status is WorkflowExecutionStatus.RUNNING


class TemporalPort:
    """Every call raises ``TemporaryFailure`` when Temporal cannot be reached, in a few seconds.

    ``client`` may be lazy: nothing here needs Temporal to be there when the API starts.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        labelling = self._labelling = Labelling()
        self._running_at: dict[tuple[UUID, int], float] = {}
        self.schedules = TemporalSchedules(client, task_queue, labelling)
        self.conversations = TemporalConversations(client, task_queue, labelling)

    async def start(
        self,
        workflow: type[TaskWorkflow],
        run: TaskRun,
        *,
        appearance: Appearance,
        priority: int,
        weight: float | None = None,
    ) -> None:
        """Start the workflow of a run of a task. A repeat changes nothing. ``weight`` is its team's
        share in the workers, where that is not the usual one.

        It takes long before it gives up: people wait for it only a while.

        Raises:
            RunNotEnded: the workflow of the previous run has not ended.
        """
        start = self._starter(workflow, run, appearance, priority_of(priority, run.team_id, weight))
        async with temporal_errors(PATIENT_TIMEOUT_SECONDS):
            if run.run == 1:
                await self._start_first(run, start)
            elif not await self._start_next(run, start):
                raise RunNotEnded(service="Temporal")
        self._note_running(run.task_id, run.run)

    def seconds_since_running(self, task_id: UUID, run: int) -> float:
        """How long ago the workflow of a run was started or found running from here."""
        return time.monotonic() - self._running_at.get((task_id, run), -inf)

    async def find(
        self, task_id: UUID, *, seconds: float = CALL_TIMEOUT_SECONDS
    ) -> Execution | None:
        """The latest workflow of a task; None when Temporal knows of none."""
        async with temporal_errors(seconds):
            try:
                patience = timedelta(seconds=seconds)
                found = await self._handle(task_id).describe(rpc_timeout=patience)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise
            run = await found.memo_value("run", default=1, type_hint=int)
        assert found.status is not None
        execution = Execution(run, found.run_id, found.status)
        if execution.is_running:
            self._note_running(task_id, run)
        return execution

    async def cancel(self, task_id: UUID, execution: Execution) -> bool:
        """Ask a running workflow to cancel itself. False when it has ended meanwhile."""
        async with temporal_errors():
            return await unless_ended(
                self._handle(task_id, execution.run_id).cancel(rpc_timeout=_PATIENCE)
            )

    async def signal(self, task_id: UUID, execution: Execution, signal: Signal) -> bool:
        """False when the workflow has ended."""
        return await self._signal(task_id, execution, signal, [])

    async def tell_to_try_again(self, workflow: str) -> None:
        """Tell the workflow of a task that what it holds may be tried again. One that has ended
        needs no word."""
        async with temporal_errors():
            handle = self._client.get_workflow_handle(workflow)
            await unless_ended(handle.signal(TRY_AGAIN, rpc_timeout=_PATIENCE))

    async def decide(self, task_id: UUID, execution: Execution, decision: Decision) -> bool:
        """Tell an agent what a person decided. False when the workflow has ended."""
        return await self._signal(task_id, execution, "decide", [decision])

    async def reason_of_end(self, task_id: UUID, execution: Execution) -> str:
        """What Temporal says of why a workflow was terminated; empty when nothing. Of one that
        failed it is the code: there are no more words in history."""
        async with temporal_errors():
            events = self._handle(task_id, execution.run_id).fetch_history_events(
                event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, rpc_timeout=_PATIENCE
            )
            async for event in events:
                reason = event.workflow_execution_terminated_event_attributes.reason
                failure = event.workflow_execution_failed_event_attributes.failure
                return reason or failure.application_failure_info.type or failure.message
        return ""

    async def ended_from_outside(
        self, workflows: Iterable[type], since: timedelta
    ) -> Sequence[str]:
        """The ids of workflows that were terminated or timed out lately, the latest first."""
        after = (datetime.now(UTC) - since).isoformat()
        types = ", ".join(f"'{workflow.__name__}'" for workflow in workflows)
        query = f"ExecutionStatus IN ('Terminated', 'TimedOut') AND CloseTime > '{after}'"
        async with temporal_errors(PATIENT_TIMEOUT_SECONDS):
            listed = self._client.list_workflows(
                f"WorkflowType IN ({types}) AND {query}",
                limit=_ENDED_LISTED,
                rpc_timeout=timedelta(seconds=PATIENT_TIMEOUT_SECONDS),
            )
            return list(dict.fromkeys([execution.id async for execution in listed]))

    async def check(self) -> None:
        async with temporal_errors():
            await self._client.service_client.check_health(timeout=_PATIENCE)

    async def count_workers(
        self, identities: str = "", seconds: float = CALL_TIMEOUT_SECONDS
    ) -> int:
        """How many workers asked for work lately whose ``identities`` begin like this."""
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        async with temporal_errors(seconds):
            found = await self._client.workflow_service.describe_task_queue(
                request, timeout=timedelta(seconds=seconds)
            )
        oldest = datetime.now(UTC) - _POLLED_WITHIN
        return sum(
            poller.identity.startswith(identities)
            and poller.last_access_time.ToDatetime(UTC) > oldest
            for poller in found.pollers
        )

    async def _signal(
        self, task_id: UUID, execution: Execution, signal: str, arguments: Sequence[object]
    ) -> bool:
        async with temporal_errors():
            handle = self._handle(task_id, execution.run_id)
            return await unless_ended(handle.signal(signal, args=arguments, rpc_timeout=_PATIENCE))

    async def _start_first(self, run: TaskRun, start: _Start) -> None:
        try:
            await start(
                WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                WorkflowIDConflictPolicy.USE_EXISTING,
            )
        except WorkflowAlreadyStartedError:
            log.info("workflow.already_started", task_id=str(run.task_id))

    async def _start_next(self, run: TaskRun, start: _Start) -> bool:
        """False when the previous run does not end: its workflow has the same id, and must not be
        taken for this one."""
        for pause_seconds in (*_PREVIOUS_RUN.pauses(random.uniform), None):
            try:
                await start(
                    WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    WorkflowIDConflictPolicy.FAIL,
                )
            except WorkflowAlreadyStartedError:
                found = await self.find(run.task_id)
                if found is not None and found.run == run.run:
                    return True
                if pause_seconds is not None:
                    await asyncio.sleep(pause_seconds)
            else:
                return True
        return False

    def _starter(
        self, workflow: type[TaskWorkflow], run: TaskRun, looks: Appearance, priority: Priority
    ) -> _Start:
        async def start(reuse: WorkflowIDReusePolicy, conflict: WorkflowIDConflictPolicy) -> None:
            await self._labelling.start(looks.labels, partial(start_as, reuse, conflict))

        async def start_as(
            reuse: WorkflowIDReusePolicy,
            conflict: WorkflowIDConflictPolicy,
            labels: TypedSearchAttributes | None,
        ) -> None:
            await self._client.start_workflow(
                workflow.__name__,
                run,
                id=workflow_id(run.task_id),
                task_queue=self._task_queue,
                id_reuse_policy=reuse,
                id_conflict_policy=conflict,
                execution_timeout=policies.TASK_EXECUTION_TIMEOUT,
                memo=memo(run.run, looks.page),
                static_summary=summary(looks.title),
                static_details=looks.details,
                search_attributes=labels,
                priority=priority,
                rpc_timeout=timedelta(seconds=PATIENT_TIMEOUT_SECONDS),
            )

        return start

    def _note_running(self, task_id: UUID, run: int) -> None:
        self._running_at.pop((task_id, run), None)
        self._running_at[task_id, run] = time.monotonic()
        # The oldest are first: a dict keeps the order in which keys were added.
        while len(self._running_at) > _RUNS_REMEMBERED:
            del self._running_at[next(iter(self._running_at))]

    def _handle(self, task_id: UUID, run_id: str | None = None) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(workflow_id(task_id), run_id=run_id)
