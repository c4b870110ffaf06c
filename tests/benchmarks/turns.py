"""The loop of an agent whose model answers at once: what a turn costs in time and in history.

Its baseline is the same loop as bare activities of a bare worker on the same Temporal server. In
each turn one of them sends the model the request that the agent sent, over a connection that is
kept open, and one does nothing. Each side is one worker process, warmed up by a whole run, with the
same settings of the garbage collector; for the rest the bare one keeps to Temporal's defaults.

So the difference is what AgentOS does beside: messages, events and attempts in PostgreSQL, the
stream of words, a true tool, the count of tokens. What the model itself takes, asked the same over
plain HTTP right after each run, is taken off both sides: nothing hides the difference.
"""

import time
from collections.abc import Awaitable
from uuid import uuid4

import httpx

from tests.benchmarks.bare import TASK_QUEUE
from tests.benchmarks.bare_turns import TIMEOUT, BareTurns, Conversation
from tests.benchmarks.history import costs_of_turns
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import Reply, call, finish
from tests.benchmarks.report import Figure, compare, judge, spread
from tests.benchmarks.stage import Stage

TURNS = 30
# As history has to be as small then as at the begin.
LATE_TURN = 100
LOOP = Bound(most=1.25, goal=1.1)
MOST_BYTES = 2_000
TARGET_BYTES = 1_600
MOST_EVENTS = 12
# Numbers take more digits as they grow: those of events, of messages, of tokens so far.
GROWTH_BYTES = 64


async def loop(stage: Stage) -> Verdict:
    """Turns of one call of a model and one of a tool against the same loop, bare."""
    long = await stage.submit_agent(await stage.models.add("late-turns", _replies(LATE_TURN)))
    await stage.temporal.get_workflow_handle(long).result()
    model = await stage.models.add("turns", _replies(TURNS))
    await _agent_ms(stage, model)
    request = await stage.models.last_request("turns")
    bare_model = await stage.models.add("bare-turns", _replies(TURNS))
    conversation = Conversation(stage.models.base_url, request | {"model": bare_model})
    conversation.save(stage.work_folder)
    await _bare_ms(stage)
    model_ms: list[float] = []

    async def beside_the_model(run_ms: Awaitable[float]) -> float:
        took_ms = await run_ms
        model_ms.append(await _model_ms(conversation))
        return took_ms - model_ms[-1]

    pairs = await measure(
        lambda: beside_the_model(_agent_ms(stage, model)),
        lambda: beside_the_model(_bare_ms(stage)),
        LOOP,
        Effort(most=16, seconds=40),
    )
    ratios = [pair.ratio for pair in pairs]
    stage.figures.append(Figure.of("a turn of an agent with one call", ratios, LOOP))
    is_quick = compare(
        f"{TURNS} turns of an agent with one call each, beside what the model takes",
        pairs,
        baseline_name="the same loop of bare activities, which send the same requests",
        unit="ms",
        bound=LOOP,
        rows=[
            (
                "more than the baseline, a turn (ms)",
                spread([(pair.ours - pair.baseline) / TURNS for pair in pairs]),
            ),
            ("the model, in both (ms)", spread(model_ms)),
        ],
    )
    return max(await _is_small(stage, long), is_quick)


def _replies(turns: int) -> list[Reply]:
    tools = (alternately(turn, "list_files", "list_skills") for turn in range(turns))
    return [*map(call, tools), finish()]


def alternately(turn: int, one: str, other: str) -> str:
    """One of two in the order of Thue and Morse, in which nothing comes three times in a row: an
    agent that goes round in circles would be stopped."""
    return (one, other)[turn.bit_count() % 2]


async def _is_small(stage: Stage, workflow_id: str) -> Verdict:
    costs = await costs_of_turns(stage, workflow_id)
    early, late = costs[9], costs[LATE_TURN - 1]
    return judge(
        f"A turn in workflow history: {early.events} events of {early.bytes:,} bytes at turn 10, "
        f"{late.events} of {late.bytes:,} at turn {LATE_TURN}",
        kept=max(early.bytes, late.bytes) <= MOST_BYTES
        and early.events == late.events <= MOST_EVENTS
        and late.bytes - early.bytes <= GROWTH_BYTES,
        bound=f"<= {MOST_EVENTS} events and {MOST_BYTES:,} bytes, target {TARGET_BYTES:,}; "
        "the same at both",
    )


async def _agent_ms(stage: Stage, model: str) -> float:
    started = time.perf_counter()
    await stage.temporal.get_workflow_handle(await stage.submit_agent(model)).result()
    return (time.perf_counter() - started) * 1_000


async def _bare_ms(stage: Stage) -> float:
    started = time.perf_counter()
    await stage.temporal.execute_workflow(
        BareTurns.run,
        TURNS,
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=TIMEOUT,
    )
    return (time.perf_counter() - started) * 1_000


async def _model_ms(conversation: Conversation) -> float:
    """All its answers one after the other, over a connection that is kept open."""
    async with httpx.AsyncClient(base_url=conversation.base_url, trust_env=False) as http:
        started = time.perf_counter()
        for turn in range(1, TURNS + 2):
            body = conversation.request | {"messages": conversation.upto(turn)}
            (await http.post("/chat/completions", json=body)).raise_for_status()
        return (time.perf_counter() - started) * 1_000
