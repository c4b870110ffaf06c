"""What the workflow of a plan does by itself, on a true server: its nodes keep nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.local.services import Services
from tests.doubles.ordered_agents import FINISH, Order, OrderedAgents, RememberedTasks
from tests.doubles.ordered_nodes import OrderedNode, OrderedNodes, node_id
from tests.live import until
from workflows.agent_contracts import AgentResult, RunLimits, call_sub_task_id
from workflows.contracts import workflow_id
from workflows.generation import build_id
from workflows.plan import PlanWorkflow
from workflows.plan_contracts import NodePlan, PlanRun
from workflows.states import Status

LIMITS = RunLimits(turns=100, tokens=1_000_000, cost_usd=None, seconds=600)


@pytest.fixture
async def temporal(infrastructure: Services) -> Client:
    return await Client.connect(
        infrastructure.temporal_address, data_converter=pydantic_data_converter
    )


@dataclass(frozen=True, slots=True)
class Play:
    """A plan that runs, and those who play for it."""

    client: Client
    run: PlanRun
    handle: WorkflowHandle[PlanWorkflow, AgentResult]
    agents: OrderedAgents
    nodes: OrderedNodes
    tasks: RememberedTasks

    def node(self, name: int) -> "WorkflowHandle[OrderedNode, None]":
        child = workflow_id(node_id(self.run.task_id, name))
        return self.client.get_workflow_handle_for(OrderedNode.run, child)

    async def has_begun(self, *names: int) -> None:
        """Return once these nodes run, and no other has begun."""

        async def as_said() -> bool:
            return set(self.nodes.begun) == set(names) and all(
                [await self.state_of(name) is not None for name in names]
            )

        await until(as_said, what=lambda: str(self.nodes.begun))

    async def state_of(self, name: int) -> WorkflowExecutionStatus | None:
        children = {
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            for event in (await self.handle.fetch_history()).events
        }
        node = self.node(name)
        return (await node.describe()).status if node.id in children else None

    async def fails(self) -> None:
        with pytest.raises(WorkflowFailureError):
            await self.handle.result()


PLAN = Order(is_plan=True)


def plan(nodes: Mapping[int, Sequence[int]], completed: Sequence[int] = ()) -> tuple[NodePlan, ...]:
    """``nodes`` are those that each depends on."""
    return tuple(
        NodePlan(number=number, depends_on=tuple(before), is_completed=number in completed)
        for number, before in nodes.items()
    )


@asynccontextmanager
async def playing(
    client: Client,
    *plans: tuple[NodePlan, ...],
    orders: Sequence[Order] = (PLAN, FINISH),
    nodes: Mapping[int, str] | None = None,
    parallel: int = 4,
    replans: int = 0,
    resumed: int | None = None,
    seconds: float = 600,
    at_once: int | None = None,
) -> AsyncIterator[Play]:
    """Begin a run whose turns are these, with a worker of its own."""
    agents, tasks = OrderedAgents(orders), RememberedTasks()
    played = OrderedNodes(plans, dict(nodes or {}), replans, client=client, at_once=at_once)
    run = PlanRun(
        task_id=uuid4(),
        team_id=uuid4(),
        run=1,
        limits=LIMITS.model_copy(update={"seconds": seconds}),
        approval_seconds=60,
        parallel=parallel,
        seq=resumed or 0,
        resumed=resumed,
    )
    worker = Worker(
        client,
        task_queue=f"plan-{run.task_id}",
        workflows=[PlanWorkflow, OrderedNode],
        activities=[*agents.activities(), *tasks.activities(), *played.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        handle = await client.start_workflow(
            PlanWorkflow.run, run, id=workflow_id(run.task_id), task_queue=worker.task_queue
        )
        yield Play(client, run, handle, agents, played, tasks)


async def test_the_plan_goes_on_when_its_nodes_have_run_in_their_order(temporal: Client) -> None:
    made = plan({1: [], 2: [], 3: [1], 4: [3, 2]})
    async with playing(temporal, made) as play:
        result = await play.handle.result()
    assert result.turns == 2
    assert sorted(play.nodes.begun) == [1, 2, 3, 4]
    assert play.nodes.begun.index(3) > play.nodes.begun.index(1)
    assert play.nodes.begun[-1] == 4
    assert play.agents.made == []
    assert play.tasks.ends == {Status.COMPLETED: None}


async def test_a_node_waits_for_its_own_dependencies_only(temporal: Client) -> None:
    made = plan({1: [], 2: [], 3: [2]})
    async with playing(temporal, made, nodes={1: "slow"}) as play:
        await play.has_begun(1, 2, 3)
        await play.node(3).result()
        await play.node(1).signal(OrderedNode.release)
        await play.handle.result()


async def test_no_more_nodes_run_at_once_than_allowed(temporal: Client) -> None:
    slow = dict.fromkeys((1, 2, 3), "slow")
    async with playing(temporal, plan({1: [], 2: [], 3: []}), nodes=slow, parallel=2) as play:
        await play.has_begun(1, 2)
        await play.node(1).signal(OrderedNode.release)
        await play.has_begun(1, 2, 3)
        for number in (2, 3):
            await play.node(number).signal(OrderedNode.release)
        await play.handle.result()


async def test_nodes_that_cannot_be_afforded_begin_when_others_have_ended(
    temporal: Client,
) -> None:
    made = plan({1: [], 2: [], 3: []})
    async with playing(temporal, made, nodes={1: "slow"}, at_once=1) as play:
        await play.has_begun(1)
        await play.node(1).signal(OrderedNode.release)
        await play.handle.result()
    assert play.nodes.begun == [1, 2, 3]
    assert [(call.nodes, call.others_run) for call in play.nodes.calls] == [
        ((1, 2, 3), False),
        ((2, 3), False),
        ((3,), False),
    ]


async def test_only_what_depends_on_a_failed_node_does_not_run(temporal: Client) -> None:
    made = plan({1: [], 2: [], 3: [1], 4: [2]})
    async with playing(temporal, made, nodes={1: "fail"}) as play:
        await play.fails()
    assert sorted(play.nodes.begun) == [1, 2, 4]
    assert play.tasks.ends == {Status.BLOCKED: "nodes-failed"}
    call = call_sub_task_id(play.run.task_id, 2)
    assert play.tasks.closes[0].sub_task_id == call


async def test_a_plan_that_failed_is_revised_as_often_as_allowed(temporal: Client) -> None:
    first, second = plan({1: [], 2: [1]}), plan({1: [], 2: [3], 3: []})
    orders = (PLAN, PLAN, FINISH)
    async with playing(
        temporal, first, second, orders=orders, nodes={1: "fail"}, replans=1
    ) as play:
        result = await play.handle.result()
    assert result.turns == 3
    assert play.nodes.begun == [1, 3, 2]


async def test_a_cancelled_plan_ends_once_its_nodes_have_ended(temporal: Client) -> None:
    made = plan({1: [], 2: [], 3: [1]})
    async with playing(temporal, made, nodes={1: "slow", 2: "slow"}) as play:
        await play.has_begun(1, 2)
        await play.handle.cancel()
        await play.fails()
        for number in (1, 2):
            state = await play.state_of(number)
            assert state is WorkflowExecutionStatus.CANCELED
    assert play.nodes.begun == [1, 2]
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_nodes_pause_and_resume_with_their_plan(temporal: Client) -> None:
    made = plan({1: [], 2: [], 3: [2]})
    async with playing(temporal, made, nodes={1: "slow", 2: "slow"}) as play:
        await play.has_begun(1, 2)
        await play.handle.signal(PlanWorkflow.pause)
        await _told(play, 1, "pause")
        await play.node(2).signal(OrderedNode.release)
        await play.node(2).result()
        await play.handle.signal(PlanWorkflow.resume)
        await _told(play, 1, "pause", "resume")
        await play.node(1).signal(OrderedNode.release)
        await play.handle.result()
    assert play.nodes.begun == [2, 1, 3]
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]


async def test_a_plan_that_is_paused_reports_on_its_nodes_when_it_is_resumed(
    temporal: Client,
) -> None:
    async with playing(temporal, plan({1: []}), nodes={1: "slow"}) as play:
        await play.has_begun(1)
        await play.handle.signal(PlanWorkflow.pause)
        await _told(play, 1, "pause")
        await play.node(1).signal(OrderedNode.release)

        async def has_ended() -> bool:
            return bool(play.nodes.ended)

        await until(has_ended)
        await play.handle.signal(PlanWorkflow.resume)
        await play.handle.result()
        events = (await play.handle.fetch_history()).events
    done = [
        event.workflow_execution_signaled_event_attributes.signal_name
        or event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
    ]
    assert done.index("resume") < done.index("report_plan")
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]


async def test_a_retried_plan_runs_what_was_not_completed_and_plans_no_more(
    temporal: Client,
) -> None:
    made = plan({1: [], 2: [1]}, completed=[1])
    async with playing(temporal, made, orders=(PLAN, FINISH), resumed=3) as play:
        await play.handle.result()
    assert play.nodes.begun == [2]
    assert [(each.turn, each.seq) for each in play.agents.thinking] == [(2, 3)]


async def test_what_nodes_use_counts_against_the_limits_of_the_plan(temporal: Client) -> None:
    orders = (PLAN, Order(), FINISH)
    async with playing(temporal, plan({1: []}), orders=orders) as play:
        await play.handle.result()
        history = await play.handle.fetch_history()
    summaries = [
        json.loads(event.user_metadata.summary.data)
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert "turn 1: the server's first model, 0 tokens so far" in summaries
    assert "turn 2: rules-1, 110 tokens so far" in summaries


async def test_a_planner_may_take_what_it_and_its_nodes_have_left(temporal: Client) -> None:
    async with playing(temporal, plan({1: []}), orders=(PLAN, Order(), FINISH)) as play:
        await play.handle.result()
    left = [call.tokens_left for call in play.agents.thinking]
    assert left == [1_000_000, 999_890, 999_880]


async def test_a_node_that_still_runs_for_a_plan_before_a_reset_is_cancelled_and_begun_again(
    temporal: Client,
) -> None:
    async with playing(temporal, plan({1: []}), plan({1: []}), nodes={1: "slow"}) as play:
        await play.has_begun(1)
        former = await play.node(1).describe()
        reset = await temporal.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=temporal.namespace,
                workflow_execution=WorkflowExecution(workflow_id=play.handle.id),
                workflow_task_finish_event_id=4,
                request_id=str(uuid4()),
            )
        )

        async def is_another() -> bool:
            return (await play.node(1).describe()).run_id != former.run_id

        await until(is_another)
        await play.node(1).signal(OrderedNode.release)
        again = temporal.get_workflow_handle_for(
            PlanWorkflow.run, play.handle.id, run_id=reset.run_id
        )
        assert (await again.result()).turns == 2
    assert play.nodes.ended == {1: True}


async def test_the_time_of_a_plan_stands_still_while_all_its_nodes_wait_for_people(
    temporal: Client,
) -> None:
    waits = {1: "ask", 2: "ask"}
    async with playing(temporal, plan({1: [], 2: []}), nodes=waits, seconds=2.0) as play:
        await until(lambda: _is_marked(play, Status.WAITING))
        await asyncio.sleep(2.5)  # longer than it may work
        for number in waits:
            await play.node(number).signal(OrderedNode.release)
        await play.handle.result()
    # Between the two releases the second one may wait alone, and the plan with it.
    assert play.tasks.marks[:2] == [Status.WAITING, Status.RUNNING]
    assert play.tasks.marks[-1] is Status.RUNNING


async def test_the_time_of_a_plan_runs_while_one_of_its_nodes_works(temporal: Client) -> None:
    nodes = {1: "ask", 2: "slow"}
    async with playing(temporal, plan({1: [], 2: []}), nodes=nodes, seconds=1.0) as play:
        await play.fails()
    assert play.tasks.ends == {Status.FAILED: "time-used-up"}


async def _is_marked(play: Play, status: Status) -> bool:
    return status in play.tasks.marks


async def _told(play: Play, name: int, *words: str) -> None:
    async def as_said() -> bool:
        return await play.node(name).query(OrderedNode.was_told) == list(words)

    await until(as_said)
