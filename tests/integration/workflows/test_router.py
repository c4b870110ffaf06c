"""What the workflow of a router does by itself, on a true server: its choices keep nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.local.services import Services
from tests.doubles.ordered_agents import Order, OrderedAgents, RememberedTasks
from tests.doubles.ordered_routes import Chosen, OrderedRoutes
from tests.live import until
from tests.temporal_runs import runs_of
from workflows.agent_contracts import AutoRun, RunLimits, Spent
from workflows.contracts import workflow_id
from workflows.router import RouterWorkflow
from workflows.states import Status

LIMITS = RunLimits(turns=3, tokens=1_000, cost_usd=None, seconds=600)
PROSE = Order(calls=())
CHOICE = Order()


@pytest.fixture
async def temporal(infrastructure: Services) -> Client:
    return await Client.connect(
        infrastructure.temporal_address, data_converter=pydantic_data_converter
    )


@dataclass(frozen=True, slots=True)
class Play:
    """A run of a router, and those who play for it."""

    client: Client
    run: AutoRun
    agents: OrderedAgents
    routes: OrderedRoutes
    tasks: RememberedTasks

    @property
    def handle(self) -> "WorkflowHandle[Chosen, dict[str, Any]]":
        """Of whichever workflow the task has at last."""
        return self.client.get_workflow_handle_for(Chosen.run, workflow_id(self.run.task_id))

    async def fails(self) -> BaseException | None:
        with pytest.raises(WorkflowFailureError) as raised:
            await self.handle.result()
        return raised.value.cause


@asynccontextmanager
async def routing(
    client: Client,
    *orders: Order,
    routes: OrderedRoutes | None = None,
    limits: RunLimits = LIMITS,
    paused: bool = False,
) -> AsyncIterator[Play]:
    """Begin a run in which the model answers so, with a worker of its own."""
    agents, tasks = OrderedAgents(orders), RememberedTasks()
    play = Play(
        client,
        AutoRun(
            task_id=uuid4(),
            team_id=uuid4(),
            run=2,
            limits=limits,
            approval_seconds=60,
            paused=paused,
        ),
        agents,
        routes or OrderedRoutes(),
        tasks,
    )
    ports = (agents, play.routes, tasks)
    worker = Worker(
        client,
        task_queue=f"router-{play.run.task_id}",
        workflows=[RouterWorkflow, Chosen],
        activities=[each for port in ports for each in port.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await client.start_workflow(
            RouterWorkflow.run,
            play.run,
            id=workflow_id(play.run.task_id),
            task_queue=worker.task_queue,
            memo={"run": 2},
            priority=Priority(priority_key=4),
            execution_timeout=timedelta(days=1),
        )
        yield play


async def test_a_router_goes_on_as_what_was_chosen_with_all_that_its_run_was_started_with(
    temporal: Client,
) -> None:
    async with routing(temporal, CHOICE) as play:
        ended = await play.handle.result()
    assert ended == {
        "given": {"seq": 2, "paused": False},
        "id": workflow_id(play.run.task_id),
        "run": 2,
        "priority": 4,
        "timeout_seconds": 86_400,
    }
    assert play.tasks.closes == []
    assert [call.routes for call in play.agents.thinking] == [True]


async def test_answers_that_choose_nothing_are_followed_by_others_and_counted(
    temporal: Client,
) -> None:
    async with routing(temporal, PROSE, PROSE, CHOICE) as play:
        await play.handle.result()
    assert [(call.turn, call.seq) for call in play.agents.thinking] == [(1, 0), (2, 1), (3, 2)]
    [call] = play.routes.taken
    assert (call.seq, call.run) == (4, 2)
    assert (call.spent.tokens, call.spent.cost_usd) == (30, 0.75)
    assert call.spent.seconds > 0


async def test_what_follows_starts_paused_when_a_pause_was_asked_for_while_a_router_was_asked(
    temporal: Client,
) -> None:
    task_id = UUID(int=0)

    async def pause(_: Sequence[UUID]) -> None:
        await temporal.get_workflow_handle(workflow_id(task_id)).signal("pause")

    async with routing(temporal, Order(meanwhile=pause), paused=True) as play:
        task_id = play.run.task_id
        await until(lambda: _is(play.tasks.marks == [Status.PAUSED]))
        assert play.agents.thinking == []
        await play.handle.signal("resume")
        ended = await play.handle.result()
    assert ended["given"]["paused"]
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]


async def test_a_router_that_is_cancelled_while_its_model_thinks_chooses_nothing(
    temporal: Client,
) -> None:
    task_id = UUID(int=0)

    async def cancel(_: Sequence[UUID]) -> None:
        await temporal.get_workflow_handle(workflow_id(task_id)).cancel()

    async with routing(temporal, Order(meanwhile=cancel), paused=True) as play:
        task_id = play.run.task_id
        await play.handle.signal("resume")
        assert isinstance(await play.fails(), CancelledError)
    assert play.tasks.ends == {Status.CANCELLED: None}
    assert play.routes.taken == []


async def test_a_router_that_is_cancelled_while_its_choice_is_written_down_does_not_go_on(
    temporal: Client,
) -> None:
    routes = OrderedRoutes()
    async with routing(temporal, CHOICE, routes=routes, paused=True) as play:
        routes.meanwhile = play.handle.cancel
        await play.handle.signal("resume")
        assert isinstance(await play.fails(), CancelledError)
        assert len(await runs_of(temporal, workflow_id(play.run.task_id))) == 1
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_a_router_whose_model_is_refused_ends_as_an_agent_does(temporal: Client) -> None:
    async with routing(temporal, Order(is_refused=True)) as play:
        cause = await play.fails()
    assert isinstance(cause, ApplicationError)
    assert cause.type == "model-refused"
    assert play.tasks.ends == {Status.FAILED: "model-refused"}


async def test_a_choice_that_cannot_be_written_down_ends_the_run(temporal: Client) -> None:
    async with routing(temporal, CHOICE, routes=OrderedRoutes(refuses=True)) as play:
        await play.fails()
    assert play.tasks.ends == {Status.FAILED: "task-moved"}


async def test_a_router_stops_at_the_limits_of_its_task(temporal: Client) -> None:
    limits = LIMITS.model_copy(update={"tokens": 15})
    async with routing(temporal, PROSE, PROSE, CHOICE, limits=limits) as play:
        await play.fails()
    assert play.tasks.ends == {Status.FAILED: "tokens-used-up"}
    assert len(play.agents.thinking) == 2


async def test_a_router_that_was_reset_goes_on_as_what_its_task_has_become(
    temporal: Client,
) -> None:
    """The turn is refused then, as its task is not one of type auto any more."""
    async with routing(temporal, Order(is_moved=True)) as play:
        ended = await play.handle.result()
    assert ended["given"] == {"seq": 0, "paused": False}
    assert play.routes.taken[0].spent == Spent()


async def _is(value: bool) -> bool:
    return value
