"""What a choice adds to a task: from its submission to its end, against a task of that type.

The model answers at once, so that nothing hides what AgentOS does: a turn more, of which the prompt
has all skills and tools, the row that becomes another, and a second run of the workflow. The time
that the model itself takes for the choice, as its worker has measured it, is taken off.
"""

import time

from tests.benchmarks.judgement import Bound, Effort, Pair, Verdict, measure
from tests.benchmarks.model import Reply, finish
from tests.benchmarks.report import console, judge_median, spread
from tests.benchmarks.stage import Stage

ADDED = Bound(most=150)
# Pairs are only made here, and judged by their difference.
_ANY = Bound()
_EFFORT = Effort(most=24, least=24, seconds=30)


async def choice(stage: Stage) -> Verdict:
    """A task of type auto that becomes an agent, against an agent."""
    chooses: Reply = {
        "kind": "answer",
        "calls": [{"name": "create_task", "arguments": {"type": "agent", "reason": "open"}}],
    }
    routed = await stage.models.add("routed", [chooses, finish()])
    agent = await stage.models.add("agent", [finish()])
    choosing_ms: list[float] = []

    async def auto_ms() -> float:
        elapsed, model_ms = await _run(stage, "auto", routed)
        choosing_ms.append(model_ms)
        return elapsed

    async def agent_ms() -> float:
        elapsed, _ = await _run(stage, "agent", agent)
        return elapsed

    await auto_ms()  # The first of each is nobody's measure.
    await agent_ms()
    choosing_ms.clear()
    pairs = await measure(auto_ms, agent_ms, _ANY, _EFFORT)
    added = [_added_ms(pair, model_ms) for pair, model_ms in zip(pairs, choosing_ms, strict=True)]
    console.print(
        f"A task that a model chooses the type of (ms): {spread([pair.ours for pair in pairs])}; "
        f"an agent: {spread([pair.baseline for pair in pairs])}; "
        f"ratio {spread([pair.ratio for pair in pairs], 2)}"
    )
    console.print(
        f"The time of its model for the choice (ms): {spread(choosing_ms)}. To a model that takes "
        f"a second for it, {spread([ms / 1_000 for ms in added], 3)} of that is added."
    )
    return judge_median("A choice adds, beyond the time of its model", added, "ms", ADDED)


def _added_ms(pair: Pair, model_ms: float) -> float:
    return pair.ours - pair.baseline - model_ms


async def _run(stage: Stage, task_type: str, model: str) -> tuple[float, float]:
    """How long a task took, and how long its model needed for an answer."""
    started = time.perf_counter()
    workflow_id = await stage.submit_agent(model, task_type=task_type)
    await stage.temporal.get_workflow_handle(workflow_id).result()
    elapsed_ms = (time.perf_counter() - started) * 1_000
    usage = (await stage.api.task(workflow_id.removeprefix("task-"))).usage
    return elapsed_ms, usage.duration_ms / usage.turns
