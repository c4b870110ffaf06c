"""Work that is held waits in its workflow, and whatever happens meanwhile is heeded."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.local.services import Services
from tests.doubles.ordered_agents import FINISH, Order, RememberedTasks
from tests.integration.workflows.test_agent import LIMITS, Play, playing
from tests.live import until
from tests.replay.pipelines import pipeline_run
from tests.temporal_runs import reset_to_turn, runs_of
from workflows import ports
from workflows.agent import AgentWorkflow
from workflows.contracts import Hold
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.lifecycle import TRY_AGAIN
from workflows.pipeline import PipelineWorkflow
from workflows.pipeline_contracts import PipelineResult, PipelineRun, StepCall, StepOutcome
from workflows.states import Status

SOON = Hold(seconds=0.05)
LATER = Hold(seconds=3_600)
HELD = Order(is_held=True)


@dataclass(slots=True)
class HeldSteps(ports.Steps):
    """Steps that are held as long as there is a ``hold``; ``calls`` are all that were made."""

    hold: Hold | None
    calls: list[StepCall] = field(default_factory=list)

    @activity.defn
    async def run_skill(self, call: StepCall) -> StepOutcome:
        raise NotImplementedError

    @activity.defn
    async def call_tool(self, call: StepCall) -> StepOutcome:
        raise NotImplementedError

    @activity.defn
    async def run_code(self, call: StepCall) -> StepOutcome:
        self.calls.append(call)
        if self.hold is None or call.step == "free":
            return StepOutcome(exit_code=0, files=0)
        held = self.hold.model_copy(update={"tried": call.tried + 1})
        return StepOutcome(exit_code=0, files=0, held=held)


@dataclass(frozen=True, slots=True)
class Line:
    """A pipeline that runs, and those who play for it."""

    handle: WorkflowHandle[PipelineWorkflow, PipelineResult]
    steps: HeldSteps
    tasks: RememberedTasks

    async def has_tried(self, times: int) -> None:
        await once(lambda: len(self.steps.calls) >= times)


@pytest.fixture
async def temporal(infrastructure: Services) -> Client:
    return await Client.connect(infrastructure.temporal_address, data_converter=DATA_CONVERTER)


@asynccontextmanager
async def piping(client: Client, hold: Hold, *steps: str) -> AsyncIterator[Line]:
    held, tasks, run = HeldSteps(hold), RememberedTasks(), pipeline_run(*steps)
    worker = Worker(
        client,
        task_queue=f"held-{run.task_id}",
        workflows=[PipelineWorkflow],
        activities=[*held.activities(), *tasks.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
    )
    async with worker:
        handle = await client.start_workflow(
            PipelineWorkflow.run, run, id=f"task-{run.task_id}", task_queue=worker.task_queue
        )
        yield Line(handle, held, tasks)


async def once(holds: Callable[[], bool]) -> None:
    async def as_said() -> bool:
        return holds()

    await until(as_said)


async def has_thought(play: Play, times: int) -> None:
    await once(lambda: len(play.agents.thinking) >= times)


async def inputs_of_runs(client: Client, workflow_id: str) -> Sequence[PipelineRun]:
    found = []
    for history in await runs_of(client, workflow_id):
        given = history.events[0].workflow_execution_started_event_attributes.input
        [run] = await client.data_converter.decode(given.payloads, [PipelineRun])
        found.append(run)
    return found


async def test_a_step_that_is_held_is_tried_again_after_its_time(temporal: Client) -> None:
    async with piping(temporal, SOON, "a", "b") as line:
        await line.has_tried(3)
        line.steps.hold = None
        await line.handle.result()
    names = [call.step for call in line.steps.calls]
    assert names == ["a"] * (len(names) - 1) + ["b"]
    assert [call.tried for call in line.steps.calls] == [*range(len(names) - 1), 0]
    assert line.tasks.ends == {Status.COMPLETED: None}


async def test_a_step_that_is_held_for_long_is_tried_at_once_when_that_is_said(
    temporal: Client,
) -> None:
    async with piping(temporal, LATER, "a") as line:
        await line.has_tried(1)
        await line.handle.signal(TRY_AGAIN)
        await line.has_tried(2)
        line.steps.hold = None
        await line.handle.signal(TRY_AGAIN)
        await line.handle.result()


async def test_a_step_that_is_held_is_not_tried_while_its_task_is_paused(temporal: Client) -> None:
    async with piping(temporal, LATER, "a") as line:
        await line.has_tried(1)
        await line.handle.signal(PipelineWorkflow.pause)
        await once(lambda: line.tasks.marks == [Status.PAUSED])
        line.steps.hold = None
        await line.handle.signal(TRY_AGAIN)
        await asyncio.sleep(0.3)
        assert len(line.steps.calls) == 1
        await line.handle.signal(PipelineWorkflow.resume)
        await line.handle.result()
    assert line.tasks.marks == [Status.PAUSED, Status.RUNNING]
    assert [call.tried for call in line.steps.calls] == [0, 1]


async def test_cancelling_ends_a_pipeline_whose_step_is_held(temporal: Client) -> None:
    async with piping(temporal, LATER, "a", "b") as line:
        await line.has_tried(1)
        await line.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await line.handle.result()
    assert line.tasks.ends == {Status.CANCELLED: None}
    assert len(line.steps.calls) == 1


async def test_a_step_that_is_held_for_days_continues_in_a_new_history(temporal: Client) -> None:
    async with piping(temporal, Hold(seconds=0.001), "free", "a") as line:
        await line.has_tried(30)
        line.steps.hold = None
        await line.handle.result()
        first, *others = await inputs_of_runs(temporal, line.handle.id)
    assert (first.first, first.tried) == (0, 0)
    assert others
    assert all(run.first == 1 and run.tried > 0 for run in others)
    held = [call.tried for call in line.steps.calls if call.step == "a"]
    assert held == [*range(len(held))]


async def test_a_turn_that_is_held_is_made_again_and_costs_no_turn(temporal: Client) -> None:
    async with playing(temporal, HELD, FINISH, hold=LATER) as play:
        await has_thought(play, 1)
        play.agents.hold = None
        await play.handle.signal(TRY_AGAIN)
        result = await play.handle.result()
    assert result.turns == 2
    assert [(call.turn, call.tried) for call in play.agents.thinking][-2:] == [(1, 1), (2, 0)]


async def test_word_that_comes_before_the_hold_itself_is_heard(temporal: Client) -> None:
    async def say_so(_: Sequence[UUID]) -> None:
        if play.agents.hold is not None:
            await play.handle.signal(TRY_AGAIN)
            # The hold itself is on its way: the answer to the next attempt is another.
            held = play.agents.hold
            play.agents.hold = None if len(play.agents.thinking) > 1 else held

    async with playing(
        temporal, Order(is_held=True, calls=(), meanwhile=say_so), FINISH, hold=LATER
    ) as play:
        await play.handle.result()
    assert play.turns == [1, 1, 2]


async def test_the_clock_stands_still_while_a_turn_is_held(temporal: Client) -> None:
    limits = LIMITS.model_copy(update={"seconds": 2})
    async with playing(temporal, HELD, FINISH, limits=limits, hold=LATER) as play:
        await has_thought(play, 1)
        await asyncio.sleep(2.5)
        play.agents.hold = None
        await play.handle.signal(TRY_AGAIN)
        await play.handle.result()


async def test_the_clock_stands_still_once_all_other_calls_of_a_turn_have_ended(
    temporal: Client,
) -> None:
    limits = LIMITS.model_copy(update={"seconds": 2})
    async with playing(
        temporal, Order(calls=("hold", "slow")), FINISH, limits=limits, hold=LATER
    ) as play:
        await play.has_called(2, 3)
        await asyncio.sleep(0.3)
        play.agents.released.set()
        await asyncio.sleep(2.5)
        play.agents.hold = None
        await play.handle.signal(TRY_AGAIN)
        await play.handle.result()


async def test_a_task_waits_for_people_though_another_call_is_held_and_tried(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("hold", "ask")), FINISH, hold=LATER) as play:
        await play.has_marked(Status.WAITING)
        await play.handle.signal(TRY_AGAIN)
        await play.has_marked(Status.WAITING, Status.WAITING)
        play.agents.hold = None
        [question] = play.agents.questions
        await play.decide(question)
        await play.handle.signal(TRY_AGAIN)
        await play.handle.result()


async def test_a_call_that_fails_for_good_ends_the_waiting_of_one_that_is_held(
    temporal: Client,
) -> None:
    order = Order(calls=("hold", "slow-fail"))
    async with playing(temporal, order, FINISH, hold=LATER) as play:
        await play.has_called(2, 3)
        await asyncio.sleep(0.3)
        play.agents.released.set()
        await play.fails()
    assert play.tasks.closes[0].status is Status.FAILED


async def test_a_turn_is_paused_where_it_is_held(temporal: Client) -> None:
    async with playing(temporal, Order(is_held=True, is_refused=True), hold=LATER) as play:
        await has_thought(play, 1)
        await play.handle.signal(AgentWorkflow.pause)
        await play.has_marked(Status.PAUSED)
        play.agents.hold = None
        await play.handle.signal(AgentWorkflow.resume)
        await play.fails()
    [close] = play.tasks.closes
    assert close.failure
    assert close.failure.step == "turn 1"


async def test_an_agent_that_is_held_is_cancelled_at_once(temporal: Client) -> None:
    async with playing(temporal, HELD, FINISH, hold=LATER) as play:
        await has_thought(play, 1)
        await play.handle.cancel()
        await play.fails()
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_a_turn_that_is_held_for_days_continues_in_a_new_history(temporal: Client) -> None:
    async with playing(
        temporal, Order(), Order(is_held=True), FINISH, hold=Hold(seconds=0.001)
    ) as play:
        await has_thought(play, 30)
        play.agents.hold = None
        result = await play.handle.result()
        runs = await runs_of(temporal, play.handle.id)
    assert len(runs) > 1
    assert result.turns == 3


async def test_a_run_that_is_reset_while_it_is_held_is_held_again(temporal: Client) -> None:
    async with playing(temporal, Order(), Order(is_held=True), FINISH, hold=LATER) as play:
        await has_thought(play, 2)
        await reset_to_turn(temporal, play.handle.id, 2)
        await has_thought(play, 3)
        play.agents.hold = None
        handle = temporal.get_workflow_handle(play.handle.id)
        await handle.signal(TRY_AGAIN)
        await handle.result()
    assert play.tasks.ends == {Status.COMPLETED: None}
