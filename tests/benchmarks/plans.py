"""Plans: what it costs to split a task, to run its nodes as tasks, and to keep them in history."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

from temporalio.api.history.v1 import HistoryEvent

from tests.benchmarks.bare import LONGEST_RUN, TASK_QUEUE
from tests.benchmarks.bare_plans import BarePlan
from tests.benchmarks.bare_turns import Conversation
from tests.benchmarks.graphs import Graph, graphs
from tests.benchmarks.history import HistoryCost, events_of
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import call, finish
from tests.benchmarks.report import compare, judge, judge_median
from tests.benchmarks.stage import Stage

BRANCHES = 20
NODES = Bound(most=1.4)

MAKESPAN = Bound(most=1.15)
SEED = 20_260_101
SIMULATED = 1_000
ON_THE_STACK = 3
NODES_ON_THE_STACK = 12
PARALLEL_ON_THE_STACK = 4
# Of a small node, on average; what a sandbox and a child workflow take is in the figure.
SMALL_SECONDS = 1.5

SPLITTER = Bound(most=150.0)
SPLITS = 15

CHAIN = 8
SMALL_RESULT, LARGE_RESULT = 1_000, 1_000_000  # bytes
MOST_NODE_EVENTS = 12
MOST_NODE_BYTES = 4_000
# Ids of events take more digits as they grow.
DIGITS_BYTES = 64

_NOOP = {"id": "only", "skill": "noop"}


async def nodes(stage: Stage) -> Verdict:
    """20 independent nodes that run a script which does nothing, against 20 bare child workflows
    that do, with the same two calls of a model around them: on the same server, a worker process
    each."""
    made = [_node(f"n{number}", _NOOP) for number in range(BRANCHES)]
    replies = [call("make_plan", nodes=made, reason="A benchmark."), finish()]
    model = await stage.models.add("nodes", replies)

    async def ours() -> float:
        return await _timed(lambda: _run(stage, model, parallel=BRANCHES))

    async def bare() -> float:
        return await _timed(lambda: _run_bare(stage))

    await ours()
    request = await stage.models.last_request("nodes")
    bare_model = await stage.models.add("bare-nodes", replies)
    Conversation(stage.models.base_url, request | {"model": bare_model}).save(stage.work_folder)
    await bare()
    pairs = await measure(ours, bare, NODES, Effort(most=16, seconds=45))
    return compare(
        f"A plan of {BRANCHES} independent nodes, from the request to its end",
        pairs,
        baseline_name=f"{BRANCHES} bare child workflows that run it in our own sandbox",
        unit="ms",
        bound=NODES,
    )


async def makespan(stage: Stage) -> Verdict:
    """Random plans whose nodes take a given time, against the least that any order could take."""
    return max(_simulated(), await _on_the_stack(stage))


def _simulated() -> Verdict:
    """The order itself, on a clock of its own."""
    ratios = sorted(
        graph.simulated_seconds() / graph.least_seconds for graph in graphs(SIMULATED, SEED)
    )
    middle, high, worst = (ratios[int(share * (SIMULATED - 1))] for share in (0.5, 0.95, 1.0))
    return judge(
        f"Makespan of {SIMULATED:,} random plans over max(critical path, work / parallel), "
        f"simulated: median {middle:.3f}, {high:.3f} for 95 of 100, worst {worst:.2f}",
        kept=high <= MAKESPAN.most,
        bound=f"{MAKESPAN} for 95 of 100; for some no order comes near",
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """How long a plan took, and the least it could, in seconds: with the times that its nodes were
    given, and with those that they took, for a machine that is busy is no fault of the plan's."""

    took: float
    least_given: float
    least_taken: float


async def _on_the_stack(stage: Stage) -> Verdict:
    chance = random.Random(SEED)
    made = [await _run_graph(stage, chance, number) for number in range(ON_THE_STACK)]
    given = ", ".join(f"{each.took / each.least_given:.3f}" for each in made)
    taken = ", ".join(f"{each.took / each.least_taken:.3f}" for each in made)
    total = sum(each.took for each in made) / sum(each.least_taken for each in made)
    return judge(
        f"Makespan of {ON_THE_STACK} random plans of {NODES_ON_THE_STACK} nodes over the same, "
        f"from the begin of the first node to the end of the last one: {total:.3f} ({taken}) with "
        f"the times that their tasks took; with those that their scripts sleep: {given}",
        kept=total <= MAKESPAN.most,
        bound=f"{MAKESPAN} with the times that their tasks took",
    )


async def _run_graph(stage: Stage, chance: random.Random, number: int) -> _Made:
    graph = Graph.draw(chance, NODES_ON_THE_STACK, PARALLEL_ON_THE_STACK)
    made = [
        _node(
            f"n{node}",
            _code(f"import time; time.sleep({seconds * SMALL_SECONDS:.3f})"),
            *(f"n{before}" for before in graph.depends_on[node]),
            size=graph.sizes[node].value,
        )
        for node, seconds in graph.seconds.items()
    ]
    replies = [call("make_plan", nodes=made, reason="A benchmark."), finish()]
    model = await stage.models.add(f"graph-{number}", replies)
    task = await _run(stage, model, parallel=PARALLEL_ON_THE_STACK)
    begins, ends = zip(*(_times(part) for part in task["sub_tasks"]), strict=True)
    tasks = {int(part["name"][1:]): await stage.task(part["task_id"]) for part in task["sub_tasks"]}
    taken = {node: _seconds(*_times(each)) for node, each in tasks.items()}
    return _Made(
        took=_seconds(min(begins), max(ends)),
        least_given=graph.least_seconds * SMALL_SECONDS,
        least_taken=replace(graph, seconds=taken).least_seconds,
    )


async def splitter(stage: Stage) -> Verdict:
    """From the request for a plan to the begin of its first node. The model answers at once; the
    few ms that its server takes are in it."""
    replies = [call("make_plan", nodes=[_node("only", _NOOP)], reason="A benchmark.")]
    model = await stage.models.add("splitter", replies)
    await _run(stage, model)
    added: list[float] = []
    for _ in range(SPLITS):
        task = await _run(stage, model)
        begun, _end = _times(task["sub_tasks"][0])
        created = datetime.fromisoformat(task["created_at"])
        added.append(_seconds(created, begun) * 1_000)
    return judge_median("What a splitter adds to its model's own time", added, "ms", SPLITTER)


async def history(stage: Stage) -> Verdict:
    """What a node adds to the history of its plan, with a small and with a large result."""
    costs = {size: await _costs_of_nodes(stage, size) for size in (SMALL_RESULT, LARGE_RESULT)}
    small, large = costs[SMALL_RESULT], costs[LARGE_RESULT]
    return judge(
        f"A node in the history of its plan: {small.events} events of {small.bytes:,} bytes with "
        f"a result of 1 KB, {large.events} of {large.bytes:,} with 1 MB",
        kept=small.events == large.events <= MOST_NODE_EVENTS
        and max(small.bytes, large.bytes) <= MOST_NODE_BYTES
        and abs(small.bytes - large.bytes) <= DIGITS_BYTES,
        bound=f"<= {MOST_NODE_EVENTS} events and {MOST_NODE_BYTES:,} bytes; the same with both",
    )


async def _costs_of_nodes(stage: Stage, size: int) -> HistoryCost:
    """Of the dearest node in a chain, up to the begin of the next: its result is a text that it
    prints, and a file."""
    step = _code(f"text = 'x' * {size}; print(text); open('result.txt', 'w').write(text)")
    names = [f"n{number}" for number in range(CHAIN)]
    made = [_node(names[0], step)]
    made += [_node(name, step, before) for before, name in pairwise(names)]
    model = await stage.models.add(
        f"chain-{size}", [call("make_plan", nodes=made, reason="A benchmark."), finish()]
    )
    task = await _run(stage, model)
    events = await events_of(stage.temporal.get_workflow_handle(f"task-{task['task_id']}"))
    begins = [place for place, event in enumerate(events) if _starts_a_child(event)]
    costs = [HistoryCost.of(events[begin:end]) for begin, end in pairwise(begins)]
    return max(costs, key=lambda cost: (cost.events, cost.bytes))


def _starts_a_child(event: HistoryEvent) -> bool:
    return event.HasField("start_child_workflow_execution_initiated_event_attributes")


def _node(name: str, step: dict[str, Any], *depends_on: str, **more: object) -> dict[str, Any]:
    shown = {"id": name, "title": f"Node {name}", "kind": "pipeline"}
    return {**shown, "depends_on": list(depends_on), "steps": [step], **more}


def _code(source: str) -> dict[str, Any]:
    return {"id": "only", "code": {"language": "python", "source": source}}


def _times(part: dict[str, Any]) -> tuple[datetime, datetime]:
    began, ended = (datetime.fromisoformat(part[key]) for key in ("started_at", "finished_at"))
    return began, ended


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()


async def _run(stage: Stage, model: str, parallel: int = 4) -> dict[str, Any]:
    """Submit a plan, and give its task once it is completed."""
    workflow_id = await stage.submit_plan(model, parallel=parallel)
    await stage.temporal.get_workflow_handle(workflow_id).result()
    return await stage.task(workflow_id)


async def _run_bare(stage: Stage) -> None:
    await stage.temporal.execute_workflow(
        BarePlan.run,
        BRANCHES,
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
    )


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes, in milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1_000
