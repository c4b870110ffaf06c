"""What the workflow of an agent does by itself, on a true server: its agents keep nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.converter import PayloadCodec
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.local.services import Services
from tests.doubles.ordered_agents import FINISH, Order, OrderedAgents, RememberedTasks
from tests.live import until
from tests.temporal_runs import reset_to_turn, runs_of
from worker.host import HEARTBEAT_THROTTLE
from workflows.agent import AgentWorkflow
from workflows.agent_contracts import (
    AgentResult,
    AgentRun,
    Decision,
    Hint,
    RunLimits,
    Spent,
    Verdict,
    call_sub_task_id,
)
from workflows.contracts import Hold
from workflows.failures import DATA_CONVERTER
from workflows.generation import build_id
from workflows.states import Status

LIMITS = RunLimits(turns=100, tokens=1_000_000, cost_usd=None, seconds=600)


@pytest.fixture
async def temporal(infrastructure: Services) -> Client:
    return await Client.connect(infrastructure.temporal_address, data_converter=DATA_CONVERTER)


@dataclass(frozen=True, slots=True)
class Play:
    """A workflow that runs, and those who play for it."""

    handle: WorkflowHandle[AgentWorkflow, AgentResult]
    agents: OrderedAgents
    tasks: RememberedTasks

    async def decide(self, question: UUID, verdict: Verdict = Verdict.APPROVED) -> None:
        await self.handle.signal(AgentWorkflow.decide, Decision(ask_id=question, verdict=verdict))

    async def has_marked(self, *marks: Status) -> None:
        """Return once the task has been in these states."""

        async def as_said() -> bool:
            return self.tasks.marks == list(marks)

        await until(as_said, what=lambda: str(self.tasks.marks))

    async def has_called(self, *seqs: int) -> None:
        """Return once these calls have begun."""

        async def as_said() -> bool:
            return set(seqs) <= self.agents.verdicts.keys()

        await until(as_said, what=lambda: str(self.agents.verdicts))

    async def fails(self) -> None:
        with pytest.raises(WorkflowFailureError):
            await self.handle.result()

    @property
    def turns(self) -> Sequence[int]:
        return [call.turn for call in self.agents.thinking]


@asynccontextmanager
async def playing(
    client: Client,
    *orders: Order,
    limits: RunLimits = LIMITS,
    approval_seconds: float = 60,
    workflow_id: str | None = None,
    hold: Hold | None = None,
) -> AsyncIterator[Play]:
    """Begin a run whose turns are these, with a worker of its own."""
    agents, tasks = OrderedAgents(orders, hold=hold), RememberedTasks()
    run = AgentRun(
        task_id=uuid4(), team_id=uuid4(), run=1, limits=limits, approval_seconds=approval_seconds
    )
    worker = Worker(
        client,
        task_queue=f"agent-{run.task_id}",
        workflows=[AgentWorkflow],
        activities=[*agents.activities(), *tasks.activities()],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id=build_id("test"),
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        default_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
    )
    async with worker:
        handle = await client.start_workflow(
            AgentWorkflow.run,
            run,
            id=workflow_id or f"task-{run.task_id}",
            task_queue=worker.task_queue,
        )
        yield Play(handle, agents, tasks)


async def test_turns_follow_each_other_until_the_model_finishes(temporal: Client) -> None:
    orders = Order(calls=("quick", "quick")), Order(calls=()), FINISH
    async with playing(temporal, *orders) as play:
        result = await play.handle.result()
    assert result.turns == 3
    assert [(call.turn, call.seq) for call in play.agents.thinking] == [(1, 0), (2, 3), (3, 4)]
    assert play.agents.verdicts == {2: None, 3: None}
    assert play.tasks.ends == {Status.COMPLETED: None}


async def test_a_pause_lets_the_turn_end_and_no_other_begin(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("slow",)), FINISH) as play:
        await play.has_called(2)
        await play.handle.signal(AgentWorkflow.pause)
        play.agents.released.set()
        await play.has_marked(Status.PAUSED)
        assert play.turns == [1]
        await play.handle.signal(AgentWorkflow.resume)
        await play.handle.result()
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]
    assert play.turns == [1, 2]


async def test_a_pause_that_is_withdrawn_in_time_changes_nothing(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("slow",)), FINISH) as play:
        await play.has_called(2)
        await play.handle.signal(AgentWorkflow.pause)
        await play.handle.signal(AgentWorkflow.resume)
        play.agents.released.set()
        await play.handle.result()
    assert play.tasks.marks == []


async def test_a_cancelled_run_ends_once_all_its_calls_have_stopped(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("slow", "slow"))) as play:
        await play.has_called(2, 3)
        await play.handle.cancel()
        await play.fails()
    assert sorted(play.agents.cancelled) == [2, 3]
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_a_run_that_waits_for_a_person_can_be_cancelled(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("ask",))) as play:
        await play.has_marked(Status.WAITING)
        await play.handle.cancel()
        await play.fails()
    assert play.agents.verdicts == {}
    assert play.tasks.ends == {Status.CANCELLED: None}


async def test_a_paused_run_can_be_cancelled(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("slow",)), FINISH) as play:
        await play.has_called(2)
        await play.handle.signal(AgentWorkflow.pause)
        play.agents.released.set()
        await play.has_marked(Status.PAUSED)
        await play.handle.cancel()
        await play.fails()
    assert play.tasks.ends == {Status.CANCELLED: None}


@pytest.mark.parametrize(
    ("limit", "code", "turns"),
    [
        ({"turns": 2}, "turns-used-up", 2),
        ({"tokens": 25}, "tokens-used-up", 3),
        ({"cost_usd": 0.5}, "cost-used-up", 2),
    ],
)
async def test_a_limit_that_is_reached_ends_the_run_before_another_turn(
    temporal: Client, limit: dict[str, float], code: str, turns: int
) -> None:
    limits = LIMITS.model_copy(update=limit)
    async with playing(temporal, *[Order()] * 9, limits=limits) as play:
        await play.fails()
    assert play.tasks.ends == {Status.FAILED: code}
    assert play.turns == list(range(1, turns + 1))


async def test_the_first_turn_takes_what_it_needs_and_those_after_it_what_is_left(
    temporal: Client,
) -> None:
    limits = LIMITS.model_copy(update={"tokens": 100})
    async with playing(temporal, Order(), Order(), FINISH, limits=limits) as play:
        await play.handle.result()
    assert [call.tokens_left for call in play.agents.thinking] == [None, 90, 80]


async def test_each_turn_is_told_how_long_the_run_may_still_work(temporal: Client) -> None:
    async with playing(temporal, Order(), FINISH) as play:
        await play.handle.result()
    first, second = [call.seconds_left for call in play.agents.thinking]
    assert first is not None
    assert second is not None
    assert 0 < second < first <= LIMITS.seconds


async def test_the_model_is_told_that_a_turn_is_the_last(temporal: Client) -> None:
    limits = LIMITS.model_copy(update={"turns": 2})
    async with playing(temporal, Order(), FINISH, limits=limits) as play:
        await play.handle.result()
    assert [call.hint for call in play.agents.thinking] == [None, Hint.LAST_TURN]


async def test_a_run_whose_time_is_used_up_stops_what_it_is_at(temporal: Client) -> None:
    limits = LIMITS.model_copy(update={"seconds": 1})
    async with playing(temporal, Order(calls=("slow",)), limits=limits) as play:
        await play.fails()
    assert play.tasks.ends == {Status.FAILED: "time-used-up"}


async def test_no_time_runs_while_a_person_is_waited_for(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("ask",)), Order(calls=("slow",)), FINISH) as play:
        await play.has_marked(Status.WAITING)
        await _until_timers(play, 60)  # Until the question expires.
        await play.decide(play.agents.questions[0])
        await play.has_called(4)
        [rest] = await _timers(play)
        assert 0 < rest < LIMITS.seconds
        play.agents.released.set()
        await play.handle.result()


async def test_no_time_runs_while_the_run_is_paused(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("slow",)), FINISH) as play:
        await play.has_called(2)
        await _until_timers(play, LIMITS.seconds)
        await play.handle.signal(AgentWorkflow.pause)
        play.agents.released.set()
        await play.has_marked(Status.PAUSED)
        await _until_timers(play)
        await play.handle.signal(AgentWorkflow.resume)
        await play.handle.result()


async def test_a_call_that_fails_for_good_ends_the_run_after_those_beside_it(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("fail", "slow"))) as play:
        await play.has_called(2, 3)
        await _until_failed(play)
        assert play.tasks.closes == []
        play.agents.released.set()
        await play.fails()
    assert play.agents.cancelled == []
    assert play.tasks.ends == {Status.FAILED: "task-moved"}
    # Why is in the row of the call, and nowhere else.
    [close] = play.tasks.closes
    assert close.sub_task_id == call_sub_task_id(close.task_id, 2)


async def test_a_call_that_fails_for_good_ends_the_run_though_a_person_is_asked_about_another(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("fail", "ask", "slow"))) as play:
        await play.has_called(2, 4)
        await _until_failed(play)
        play.agents.released.set()
        await play.fails()
    assert play.agents.verdicts == {2: None, 4: None}
    assert play.agents.cancelled == []
    assert play.tasks.ends == {Status.FAILED: "task-moved"}


async def test_a_model_that_refuses_ends_the_run_and_the_turn_is_named(temporal: Client) -> None:
    async with playing(temporal, Order(), Order(is_refused=True)) as play:
        await play.fails()
    [close] = play.tasks.closes
    assert close.failure is not None
    assert (close.failure.code, close.failure.step) == ("model-refused", "turn 2")


@pytest.mark.parametrize("verdict", [Verdict.APPROVED, Verdict.DENIED])
async def test_a_call_is_made_with_the_word_that_was_waited_for(
    temporal: Client, verdict: Verdict
) -> None:
    async with playing(temporal, Order(calls=("ask", "quick")), FINISH) as play:
        await play.has_marked(Status.WAITING)
        assert play.agents.verdicts == {3: None}
        await play.decide(play.agents.questions[0], verdict)
        await play.handle.result()
    assert play.agents.verdicts == {2: verdict, 3: None}


async def test_a_run_waits_again_when_one_of_two_questions_has_been_answered(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("ask", "ask")), FINISH) as play:
        await play.has_marked(Status.WAITING)
        await play.decide(play.agents.questions[1], Verdict.DENIED)
        await play.has_marked(Status.WAITING, Status.WAITING)
        assert play.agents.verdicts == {3: Verdict.DENIED}
        await play.decide(play.agents.questions[0])
        await play.handle.result()
    assert play.agents.verdicts == {2: Verdict.APPROVED, 3: Verdict.DENIED}


async def test_a_call_whose_tool_asks_a_person_waits_and_is_made_again_after_each_answer(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("elicit", "quick")), FINISH) as play:
        await play.has_marked(Status.WAITING)
        await play.decide(play.agents.questions[0])
        await play.has_marked(Status.WAITING, Status.WAITING)
        await play.decide(play.agents.questions[1], Verdict.DENIED)
        await play.handle.result()
    of_elicit = [made for made in play.agents.made if made != (0, None)]
    assert of_elicit == [(1, Verdict.APPROVED), (2, Verdict.DENIED)]
    assert play.agents.made.count((0, None)) == 2


async def test_a_question_of_a_tool_that_nobody_answers_in_time_expires(
    temporal: Client,
) -> None:
    async with playing(temporal, Order(calls=("elicit",)), FINISH, approval_seconds=0.1) as play:
        await play.handle.result()
    assert play.agents.made == [(0, None), (1, Verdict.EXPIRED), (2, Verdict.EXPIRED)]


async def test_a_call_that_nobody_approves_in_time_expires(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("ask",)), FINISH, approval_seconds=0.1) as play:
        await play.handle.result()
    assert play.agents.verdicts == {2: Verdict.EXPIRED}


@dataclass(slots=True)
class People:
    """Say these words on the first question, before its call waits."""

    words: Sequence[Verdict]
    play: Play | None = None

    async def __call__(self, questions: Sequence[UUID]) -> None:
        async def has_begun() -> bool:
            return self.play is not None

        await until(has_begun)
        assert self.play is not None
        for word in self.words:
            await self.play.decide(questions[0], word)


@pytest.mark.parametrize(
    "words", [[Verdict.APPROVED], [Verdict.DENIED, Verdict.APPROVED, Verdict.APPROVED]]
)
async def test_the_first_word_counts_even_when_it_comes_before_the_call_waits(
    temporal: Client, words: Sequence[Verdict]
) -> None:
    people = People(words)
    order = Order(calls=("ask",), meanwhile=people)
    async with playing(temporal, order, FINISH) as play:
        people.play = play
        await play.handle.result()
    assert play.agents.verdicts == {2: words[0]}


async def test_a_decision_on_a_call_that_asked_for_none_changes_nothing(temporal: Client) -> None:
    async with playing(temporal, Order(calls=("ask",)), FINISH) as play:
        await play.decide(uuid4())
        await play.has_marked(Status.WAITING)
        await play.decide(uuid4(), Verdict.DENIED)
        await play.decide(play.agents.questions[0])
        await play.handle.result()
    assert play.agents.verdicts == {2: Verdict.APPROVED}


async def test_a_decision_replayed_by_a_reset_does_not_reach_the_new_call(
    temporal: Client,
) -> None:
    """Temporal repeats the signals that came after the point to which it resets."""
    async with playing(temporal, Order(calls=("ask",)), FINISH) as play:
        await play.has_marked(Status.WAITING)
        await play.decide(play.agents.questions[0])
        await play.handle.result()
        play.agents.verdicts.clear()

        await reset_to_turn(temporal, play.handle.id, 1)
        await play.has_marked(Status.WAITING, Status.WAITING)
        assert play.agents.verdicts == {}
        again = temporal.get_workflow_handle_for(AgentWorkflow.run, play.handle.id)
        verdict = Decision(ask_id=play.agents.questions[1], verdict=Verdict.DENIED)
        await again.signal(AgentWorkflow.decide, verdict)
        await again.result()
    assert play.agents.verdicts == {2: Verdict.DENIED}


async def test_a_run_that_is_reset_after_its_time_has_its_time_once_more(
    temporal: Client,
) -> None:
    limits = LIMITS.model_copy(update={"seconds": 6})
    async with playing(temporal, Order(), FINISH, limits=limits) as play:
        await play.handle.result()
        await asyncio.sleep(6)
        await reset_to_turn(temporal, play.handle.id, 2)
        await temporal.get_workflow_handle_for(AgentWorkflow.run, play.handle.id).result()
    assert play.turns == [1, 2, 2]


async def test_a_run_that_continues_as_new_keeps_its_numbers(temporal: Client) -> None:
    limits = LIMITS.model_copy(update={"tokens": 200, "cost_usd": 100})
    async with playing(temporal, *[Order()] * 30, limits=limits) as play:
        await play.fails()
        runs = await runs_of(temporal, play.handle.id)
    assert len(runs) > 2
    assert play.turns == list(range(1, 21))
    assert [call.seq for call in play.agents.thinking] == [2 * turn for turn in range(20)]
    assert play.tasks.ends == {Status.FAILED: "tokens-used-up"}
    for run in runs[1:]:
        given = _input_of(run.events[0].workflow_execution_started_event_attributes.input.payloads)
        assert given.seq == 2 * given.turn
        assert given.spent == Spent(
            turns=given.turn,
            tokens=10 * given.turn,
            cost_usd=0.25 * given.turn,
            seconds=given.spent.seconds,
            digests=tuple(str(turn) for turn in range(1, given.turn + 1))[-15:],
        )
        assert given.spent.seconds > 0


class Interrupting(PayloadCodec):
    """Does something once, while a worker writes down that its run continues as new."""

    def __init__(self, act: Callable[[], Awaitable[None]]) -> None:
        self._act = act
        self.acted = False

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if not self.acted and any(_continues(payload) for payload in payloads):
            self.acted = True
            await self._act()
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


async def test_a_pause_in_the_last_moment_of_a_run_holds_in_the_next(temporal: Client) -> None:
    """The server refuses the end of a run that has not heard all: the run ends anew, and better."""
    workflow_id = f"task-{uuid4()}"

    async def pause() -> None:
        await temporal.get_workflow_handle(workflow_id).signal("pause")

    codec = Interrupting(pause)
    converter = replace(DATA_CONVERTER, payload_codec=codec)
    client = await Client.connect(
        temporal.service_client.config.target_host, data_converter=converter
    )
    orders = [*[Order()] * 12, FINISH]
    async with playing(client, *orders, workflow_id=workflow_id) as play:
        await play.has_marked(Status.PAUSED)
        assert codec.acted
        assert len(await runs_of(temporal, workflow_id)) == 2
        made = play.turns
        await client.get_workflow_handle(workflow_id).signal("resume")
        await client.get_workflow_handle(workflow_id).result()
    assert made == list(range(1, made[-1] + 1))
    assert play.turns == list(range(1, 14))
    assert play.tasks.marks == [Status.PAUSED, Status.RUNNING]


def _continues(payload: Payload) -> bool:
    if b"approval_seconds" not in payload.data:
        return False
    return bool(json.loads(payload.data)["turn"])


def _input_of(payloads: Sequence[Payload]) -> AgentRun:
    [payload] = payloads
    return AgentRun.model_validate_json(payload.data)


async def _timers(play: Play) -> Sequence[float]:
    """The timers that are running, in seconds from their start."""
    running: dict[str, float] = {}
    for event in (await play.handle.fetch_history()).events:
        started = event.timer_started_event_attributes
        if event.HasField("timer_started_event_attributes"):
            running[started.timer_id] = started.start_to_fire_timeout.ToMilliseconds() / 1_000
        running.pop(event.timer_canceled_event_attributes.timer_id, None)
        running.pop(event.timer_fired_event_attributes.timer_id, None)
    return list(running.values())


async def _until_timers(play: Play, *seconds: float) -> None:
    """Return once just these timers run. A state is marked before what goes with it is recorded."""

    async def run() -> bool:
        return await _timers(play) == list(seconds)

    await until(run)


async def _until_failed(play: Play) -> None:
    """Return once the workflow has been told that a call failed."""

    async def is_told() -> bool:
        events = (await play.handle.fetch_history()).events
        return any(event.HasField("activity_task_failed_event_attributes") for event in events)

    await until(is_told)
