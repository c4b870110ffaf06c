"""Runs the nodes of a plan: each is a task, whose workflow is a child of the plan's."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from workflows import policies, ports
from workflows.contracts import workflow_id
from workflows.details import details_of_child, memo_of_child
from workflows.labels import labels_of_child
from workflows.lifecycle import HEEDS_WHILE_MARKING, Lifecycle
from workflows.markdown import codes
from workflows.plan_contracts import (
    NodeEnd,
    NodeNote,
    NodesCall,
    NodeStart,
    OpenedPlan,
    PlanCall,
    PlanReport,
    PlanRun,
)
from workflows.schedule import Part, Schedule
from workflows.states import Status

# Temporal's own, when none was set; 1 is the most urgent.
_USUAL_PRIORITY_KEY = 3
# Between attempts to start a node whose former workflow is still ending.
_FORMER_PAUSE_SECONDS = 1.0
_REPORT_TIMEOUT_SECONDS = 60.0

_Child = workflow.ChildWorkflowHandle[Any, Any]


class NodeRunner:
    """Runs the plans of one task, one after the other; ``run`` is the input of its workflow."""

    def __init__(self, run: PlanRun, lifecycle: Lifecycle) -> None:
        self._run = run
        self._lifecycle = lifecycle
        self._seq = 0
        self._children: dict[UUID, _Child] = {}
        self._states: dict[UUID, Status] = {}
        self._titles: dict[int, str] = {}
        self._is_paused = False
        self._is_waiting = False

    def note(self, note: NodeNote) -> None:
        """The task of a node waits for people, is paused, or works again."""
        if note.status is Status.RUNNING:
            self._states.pop(note.task_id, None)
        else:
            self._states[note.task_id] = note.status

    async def run(self, seq: int) -> PlanReport:
        """Run what the call ``seq`` has planned, but for what is completed, and report on it.

        Raises:
            ActivityError: nodes failed, and the plan may not be revised any more.
        """
        self._seq = seq
        call = PlanCall(task_id=self._run.task_id, run=self._run.run, seq=seq)
        opened = await workflow.execute_local_activity_method(
            ports.Nodes.open_plan, call, summary="open the plan", **policies.RECORD
        )
        await self._run_all(self._schedule(opened))
        return await workflow.execute_activity_method(
            ports.Nodes.report_plan,
            call,
            summary="report on the plan",
            **policies.step(_REPORT_TIMEOUT_SECONDS, policies.ACT_RETRIES),
        )

    def _schedule(self, opened: OpenedPlan) -> Schedule:
        return Schedule(
            {node.number: Part(frozenset(node.depends_on), node.weight) for node in opened.nodes},
            self._run.parallel,
            completed=[node.number for node in opened.nodes if node.is_completed],
            replaced=[node.number for node in opened.nodes if node.is_replaced],
        )

    async def _run_all(self, schedule: Schedule) -> None:
        following: dict[asyncio.Task[bool | None], int] = {}
        try:
            # A plan that is paused says nothing of its nodes, though they have ended.
            while not schedule.is_over or following or self._lifecycle.paused or self._is_paused:
                if not self._lifecycle.paused:
                    ready = schedule.begin()
                    starts = await self._begin(ready, others_run=bool(following))
                    for start in starts:
                        self._titles[start.number] = start.title
                        following[asyncio.create_task(self._follow(start))] = start.number
                    schedule.put_back({*ready} - {start.number for start in starts})
                self._tell(schedule)
                await self._wait(following)
                for task in [task for task in following if task.done()]:
                    number, completed = following.pop(task), task.result()
                    if completed is None:
                        schedule.put_back([number])
                    else:
                        schedule.end(number, completed=completed)
            self._tell(schedule)
        # Not `finally`: a workflow that a worker drops from its memory cannot wait for anything.
        except (asyncio.CancelledError, TimeoutError, FailureError):
            await _stop(following)
            raise

    def _tell(self, schedule: Schedule) -> None:
        """How far the plan is, for whoever looks at it in Temporal."""
        titles = [self._titles.get(each, f"node {each}") for each in sorted(schedule.running)]
        told = [
            f"{len(schedule.completed)} of {schedule.size} nodes done",
            f"running {codes(titles)}" if titles else "",
            f"{len(schedule.broken)} failed" if schedule.broken else "",
        ]
        self._lifecycle.tell(", ".join(filter(None, told)))

    async def _begin(self, nodes: Sequence[int], *, others_run: bool) -> Sequence[NodeStart]:
        """The nodes that could begin: others wait for the end of those that run."""
        if not nodes:
            return ()
        left_seconds = self._run.limits.seconds - self._lifecycle.working_time.used_seconds
        return await workflow.execute_local_activity_method(
            ports.Nodes.begin_nodes,
            NodesCall(
                task_id=self._run.task_id,
                run=self._run.run,
                seq=self._seq,
                nodes=tuple(nodes),
                seconds=max(left_seconds, 0.0),
                others_run=others_run,
            ),
            summary=f"begin nodes {', '.join(map(str, nodes))}",
            **policies.RECORD,
        )

    async def _follow(self, start: NodeStart) -> bool | None:
        """Run the workflow of a node, and have its end written down: whether it completed. None: it
        has to begin later."""
        while not start.is_completed:
            try:
                await self._run_child(start)
                break
            except WorkflowAlreadyStartedError:
                # The plan was reset, and the node still runs for what it was before.
                await self._cancel_former(start)
                again = await self._begin([start.number], others_run=True)
                if not again:
                    return None
                [start] = again
        return await workflow.execute_local_activity_method(
            ports.Nodes.end_node,
            NodeEnd(
                task_id=self._run.task_id,
                run=self._run.run,
                seq=self._seq,
                number=start.number,
            ),
            summary=f"end node {start.number}",
            **policies.RECORD,
        )

    async def _run_child(self, start: NodeStart) -> None:
        """Return when the child has ended, however it did: its row says how."""
        child = await workflow.start_child_workflow(
            start.workflow,
            start.input,
            id=workflow_id(start.task_id),
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            # A plan that is terminated tells its nodes nothing: they end as cancelled ones.
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            execution_timeout=policies.TASK_EXECUTION_TIMEOUT,
            memo=memo_of_child(start.run),
            static_summary=start.title,
            static_details=details_of_child(start.task_id, node=start.number),
            search_attributes=labels_of_child(start.workflow, start.title),
            priority=more_urgent(workflow.info().priority),
        )
        self._children[start.task_id] = child
        try:
            if self._is_paused:
                await _tell(child, "pause")
            await child
        except ChildWorkflowError as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                raise
        finally:
            del self._children[start.task_id]
            self._states.pop(start.task_id, None)

    async def _cancel_former(self, start: NodeStart) -> None:
        former = workflow.get_external_workflow_handle(workflow_id(start.task_id))
        try:
            await former.cancel()
        except ApplicationError:
            workflow.logger.info("node.ended_before_it_was_told")
        await workflow.sleep(_FORMER_PAUSE_SECONDS, summary="the former run of the node ends")

    async def _wait(self, following: Iterable["asyncio.Task[bool | None]"]) -> None:
        """Until a node has ended, or the plan is paused, resumed, or waits for people."""
        await workflow.wait_condition(
            lambda: (
                any(task.done() for task in following)
                or self._lifecycle.paused is not self._is_paused
                or self._nodes_wait is not self._is_waiting
            )
        )
        if self._lifecycle.paused is not self._is_paused:
            await self._pass_on_pause()
        if self._nodes_wait is not self._is_waiting:
            await self._pass_on_waiting()
        # One that came just as that was written would not be heard of any more.
        self._lifecycle.heed_cancellation(HEEDS_WHILE_MARKING)

    @property
    def _nodes_wait(self) -> bool:
        """Whether every node that runs waits for people, or is paused."""
        return bool(self._children) and self._children.keys() <= self._states.keys()

    async def _pass_on_waiting(self) -> None:
        """The plan waits where its nodes do, and its time stands still."""
        self._is_waiting = self._nodes_wait
        if self._is_paused:
            return
        if self._is_waiting:
            self._lifecycle.working_time.halt()
            await self._lifecycle.mark(Status.WAITING)
        else:
            self._lifecycle.working_time.go_on()
            await self._lifecycle.mark(Status.RUNNING)

    async def _pass_on_pause(self) -> None:
        """Nodes pause and resume with their plan."""
        self._is_paused = self._lifecycle.paused
        for child in tuple(self._children.values()):
            await _tell(child, "pause" if self._is_paused else "resume")
        if self._is_paused:
            self._lifecycle.working_time.halt()
            await self._lifecycle.mark(Status.PAUSED)
        else:
            # They are told to go on; those that wait for people still do.
            self._states = {
                child: state for child, state in self._states.items() if state is Status.WAITING
            }
            self._is_waiting = False
            self._lifecycle.working_time.go_on()
            await self._lifecycle.mark(Status.RUNNING)


async def _tell(child: _Child, word: str) -> None:
    try:
        await child.signal(word)
    except ApplicationError:
        workflow.logger.info("node.ended_before_it_was_told")


def more_urgent(priority: Priority) -> Priority:
    """What has begun is finished before other plans begin."""
    key = priority.priority_key or _USUAL_PRIORITY_KEY
    return Priority(
        priority_key=max(1, key - 1),
        fairness_key=priority.fairness_key,
        fairness_weight=priority.fairness_weight,
    )


async def _stop(following: Iterable["asyncio.Task[bool | None]"]) -> None:
    """Cancel what still runs, and wait until it has ended."""
    running = [task for task in following if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.gather(*running, return_exceptions=True)
