"""Runs the nodes of a plan: each is a task, whose workflow is a child of the plan's."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError, ChildWorkflowError, is_cancelled_exception

from workflows import policies, ports
from workflows.contracts import NodePlan, NodesCall, NodeStart, PlanRun, workflow_id
from workflows.errors import NodesFailed
from workflows.lifecycle import Lifecycle
from workflows.schedule import Part, Schedule
from workflows.states import Status

_NAMES_SHOWN = 10
# Temporal's own, when none was set; 1 is the most urgent.
_USUAL_PRIORITY_KEY = 3

_Child = workflow.ChildWorkflowHandle[Any, Any]


class NodeRunner:
    """Runs the nodes of plan after plan, each of them once.

    ``replans`` is how often a plan may still be revised; ``completed`` and ``replaced`` are the
    nodes that have ended, well or badly.
    """

    def __init__(self, run: PlanRun, lifecycle: Lifecycle) -> None:
        self.replans = run.replans
        self.completed = set(run.completed)
        self.replaced = set(run.replaced)
        self._run = run
        self._lifecycle = lifecycle
        self._children: dict[str, _Child] = {}
        self._is_paused = False

    async def run(self, nodes: Sequence[NodePlan]) -> None:
        """Run what has not been completed before. Who may still revise the plan learns from its
        rows that nodes have failed.

        Raises:
            NodesFailed: some did not complete, and the plan may not be revised any more.
        """
        parts = {node.id: Part(frozenset(node.depends_on), node.weight) for node in nodes}
        schedule = Schedule(
            parts,
            self._run.parallel,
            completed=self.completed & parts.keys(),
            replaced=self.replaced & parts.keys(),
        )
        following: dict[asyncio.Task[bool], str] = {}
        try:
            while not schedule.is_over or following:
                if not self._lifecycle.paused:
                    for start in await self._begin(schedule.begin()):
                        task = asyncio.create_task(self._follow(start))
                        following[task] = start.node
                await self._wait(following)
                for task in [task for task in following if task.done()]:
                    self._end(schedule, following.pop(task), task.result())
        finally:
            await _stop(following)
        self._check(schedule)

    def _end(self, schedule: Schedule, node: str, completed: bool) -> None:
        schedule.end(node, completed=completed)
        (self.completed if completed else self.replaced).add(node)

    def _check(self, schedule: Schedule) -> None:
        if schedule.is_completed:
            return
        if self.replans:
            self.replans -= 1
            return
        missing = (*schedule.failed, *schedule.pending)
        shown = ", ".join(missing[:_NAMES_SHOWN]) + ", ..." * (len(missing) > _NAMES_SHOWN)
        raise NodesFailed(count=len(missing), nodes=shown)

    async def _begin(self, nodes: Sequence[str]) -> Sequence[NodeStart]:
        """Also where the time is up or the plan is cancelled: what is written has to be started, or
        at least known."""
        if not nodes:
            return ()
        return await workflow.execute_local_activity_method(
            ports.Nodes.begin_nodes,
            NodesCall(task_id=self._run.task_id, run=self._run.run, nodes=tuple(nodes)),
            summary=f"begin {', '.join(nodes)}",
            **policies.RECORD,
        )

    async def _follow(self, start: NodeStart) -> bool:
        """Run the workflow of a node: whether it completed."""
        try:
            child = await workflow.start_child_workflow(
                start.workflow,
                start.input,
                id=workflow_id(start.task_id),
                cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
                # A plan that is terminated tells its nodes nothing: they end as cancelled ones.
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                execution_timeout=policies.TASK_EXECUTION_TIMEOUT,
                memo={"run": start.run},
                static_summary=start.title,
                priority=_more_urgent(workflow.info().priority),
            )
            self._children[start.node] = child
            await child
        except ChildWorkflowError as error:
            if is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                raise
            return False
        finally:
            self._children.pop(start.node, None)
        return True

    async def _wait(self, following: Iterable["asyncio.Task[bool]"]) -> None:
        """Until a node has ended, or the plan is paused or resumed."""
        await workflow.wait_condition(
            lambda: (
                any(task.done() for task in following)
                or self._lifecycle.paused is not self._is_paused
            )
        )
        if self._lifecycle.paused is not self._is_paused:
            await self._pass_on_pause()

    async def _pass_on_pause(self) -> None:
        """Nodes pause and resume with their plan."""
        self._is_paused = self._lifecycle.paused
        for child in tuple(self._children.values()):
            try:
                await child.signal("pause" if self._is_paused else "resume")
            except ApplicationError:
                workflow.logger.info("node.ended_before_it_was_told")
        if self._is_paused:
            self._lifecycle.working_time.halt()
            await self._lifecycle.mark(Status.PAUSED)
        else:
            self._lifecycle.working_time.go_on()
            await self._lifecycle.mark(Status.RUNNING)


def _more_urgent(priority: Priority) -> Priority:
    """What has begun is finished before other plans begin."""
    key = priority.priority_key or _USUAL_PRIORITY_KEY
    return Priority(
        priority_key=max(1, key - 1),
        fairness_key=priority.fairness_key,
        fairness_weight=priority.fairness_weight,
    )


async def _stop(following: Iterable["asyncio.Task[bool]"]) -> None:
    """Cancel what still runs, and wait until it has ended."""
    running = [task for task in following if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.gather(*running, return_exceptions=True)
