"""What the workflow of a plan does by itself, on a true server: its nodes keep nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
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
from workflows.contracts import AgentResult, CallPlan, NodePlan, PlanRun, RunLimits, workflow_id
from workflows.plan import PlanWorkflow
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

    def node(self, name: str) -> "WorkflowHandle[OrderedNode, None]":
        child = workflow_id(node_id(self.run.task_id, name))
        return self.client.get_workflow_handle_for(OrderedNode.run, child)

    async def has_begun(self, *names: str) -> None:
        """Return once these nodes run, and no other has begun."""

        async def as_said() -> bool:
            return set(self.nodes.begun) == set(names) and all(
                [await self.state_of(name) is not None for name in names]
            )

        await until(as_said, what=lambda: str(self.nodes.begun))

    async def state_of(self, name: str) -> WorkflowExecutionStatus | None:
        children = {
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            for event in (await self.handle.fetch_history()).events
        }
        node = self.node(name)
        return (await node.describe()).status if node.id in children else None

    async def fails(self) -> None:
        with pytest.raises(WorkflowFailureError):
            await self.handle.result()


def chain(*nodes: str, **after: Sequence[str]) -> tuple[NodePlan, ...]:
    return (
        *(NodePlan(id=node) for node in nodes),
        *(NodePlan(id=node, depends_on=tuple(before)) for node, before in after.items()),
    )


@asynccontextmanager
async def playing(
    client: Client,
    *orders: Order,
    nodes: Mapping[str, str] | None = None,
    parallel: int = 4,
    replans: int = 0,
    resumed: CallPlan | None = None,
    completed: tuple[str, ...] = (),
) -> AsyncIterator[Play]:
    """Begin a run whose turns are these, with a worker of its own."""
    agents, tasks = OrderedAgents(orders), RememberedTasks()
    played = OrderedNodes(dict(nodes or {}))
    run = PlanRun(
        task_id=uuid4(),
        team_id=uuid4(),
        run=1,
        limits=LIMITS,
        approval_seconds=60,
        parallel=parallel,
        replans=replans,
        resumed=resumed,
        completed=completed,
    )
    worker = Worker(
        client,
        task_queue=f"plan-{run.task_id}",
        workflows=[PlanWorkflow, OrderedNode],
        activities=[*agents.activities(), *tasks.activities(), *played.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="test",
    )
    async with worker:
        handle = await client.start_workflow(
            PlanWorkflow.run, run, id=workflow_id(run.task_id), task_queue=worker.task_queue
        )
        yield Play(client, run, handle, agents, played, tasks)


async def test_the_plan_goes_on_when_its_nodes_have_run_in_their_order(temporal: Client) -> None:
    plan = Order(nodes=chain("a", "b", c=["a"], d=["c", "b"]))
    async with playing(temporal, plan, FINISH) as play:
        result = await play.handle.result()
    assert result.turns == 2
    assert sorted(play.nodes.begun) == ["a", "b", "c", "d"]
    assert play.nodes.begun.index("c") > play.nodes.begun.index("a")
    assert play.nodes.begun[-1] == "d"
    assert play.agents.verdicts == {2: None}
    assert play.tasks.ends == {Status.COMPLETED: None}


async def test_a_node_waits_for_its_own_dependencies_only(temporal: Client) -> None:
    plan = Order(nodes=chain("slow", "quick", after=["quick"]))
    async with playing(temporal, plan, FINISH, nodes={"slow": "slow"}) as play:
        await play.has_begun("slow", "quick", "after")
        await play.node("after").result()
        await play.node("slow").signal(OrderedNode.release)
        await play.handle.result()


async def test_no_more_nodes_run_at_once_than_allowed(temporal: Client) -> None:
    plan = Order(nodes=chain("a", "b", "c"))
    slow = dict.fromkeys("abc", "slow")
    async with playing(temporal, plan, FINISH, nodes=slow, parallel=2) as play:
        await play.has_begun("a", "b")
        await play.node("a").signal(OrderedNode.release)
        await play.has_begun("a", "b", "c")
        for name in "bc":
            await play.node(name).signal(OrderedNode.release)
        await play.handle.result()


async def test_only_what_depends_on_a_failed_node_does_not_run(temporal: Client) -> None:
    plan = Order(nodes=chain("bad", "good", after=["bad"], late=["good"]))
    async with playing(temporal, plan, nodes={"bad": "fail"}) as play:
        await play.fails()
    assert sorted(play.nodes.begun) == ["bad", "good", "late"]
    assert play.tasks.ends == {Status.BLOCKED: "nodes-failed"}
    assert "2 nodes did not complete: bad, after" in str(play.tasks.closes[0].failure)


async def test_a_plan_that_failed_is_revised_as_often_as_allowed(temporal: Client) -> None:
    first = Order(nodes=chain("bad", last=["bad"]))
    second = Order(nodes=chain("bad", "instead", last=["instead"]))
    async with playing(temporal, first, second, FINISH, nodes={"bad": "fail"}, replans=1) as play:
        result = await play.handle.result()
    assert result.turns == 3
    assert play.nodes.begun == ["bad", "instead", "last"]


async def test_a_cancelled_plan_ends_once_its_nodes_have_ended(temporal: Client) -> None:
    plan = Order(nodes=chain("a", "b", c=["a"]))
    async with playing(temporal, plan, nodes={"a": "slow", "b": "slow"}) as play:
        await play.has_begun("a", "b")
        await play.handle.cancel()
        await play.fails()
        for name in "ab":
            state = await play.state_of(name)
            assert state is WorkflowExecutionStatus.CANCELED
    assert play.nodes.begun == ["a", "b"]
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_nodes_pause_and_resume_with_their_plan(temporal: Client) -> None:
    plan = Order(nodes=chain("a", "b", c=["b"]))
    slow = {"a": "slow", "b": "slow"}
    async with playing(temporal, plan, FINISH, nodes=slow) as play:
        await play.has_begun("a", "b")
        await play.handle.signal(PlanWorkflow.pause)
        await _told(play, "a", "pause")
        await play.node("b").signal(OrderedNode.release)
        await play.node("b").result()
        await play.handle.signal(PlanWorkflow.resume)
        await _told(play, "a", "pause", "resume")
        await play.node("a").signal(OrderedNode.release)
        await play.handle.result()
    assert play.nodes.begun == ["b", "a", "c"]
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]


async def test_a_retried_plan_runs_what_was_not_completed_and_plans_no_more(
    temporal: Client,
) -> None:
    call = CallPlan(seq=3, name="make_plan", timeout_seconds=60, nodes=chain("a", b=["a"]))
    async with playing(temporal, Order(), FINISH, resumed=call, completed=("a",)) as play:
        await play.handle.result()
    assert play.nodes.begun == ["b"]
    assert [(made.turn, made.seq) for made in play.agents.thinking] == [(2, 3)]


async def _told(play: Play, name: str, *words: str) -> None:
    async def as_said() -> bool:
        return await play.node(name).query(OrderedNode.was_told) == list(words)

    await until(as_said)
