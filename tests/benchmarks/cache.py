"""What a hit of the cache costs: an activity that takes a result, against one that does nothing."""

from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from tests.benchmarks.bare import LONGEST_RUN, TASK_QUEUE, BareWorkflow
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.plain_sandbox import STEPS
from tests.benchmarks.report import console, judge_median, spread
from tests.benchmarks.stage import Stage

ADDED = Bound(most=15)
# Pairs are only made here, and judged by their difference.
_ANY = Bound()
_EFFORT = Effort(most=40, least=40, seconds=30)

_SCRIPT = "print('made')\nopen('made.txt', 'w').write('made')\n"


async def hit(stage: Stage) -> Verdict:
    """Steps that are given a result with a file, from when Temporal schedules them to their end."""
    steps: list[dict[str, object]] = [
        {"id": f"s{i}", "cache": "1h", "code": {"language": "python", "source": _SCRIPT}}
        for i in range(STEPS)
    ]

    async def ours() -> float:
        workflow_id = await stage.submit(*steps)
        handle = stage.temporal.get_workflow_handle(workflow_id)
        await handle.result()
        task = await stage.task(workflow_id)
        assert all(step["cached"] for step in task["sub_tasks"]), task
        return await _activity_ms(handle)

    async def bare() -> float:
        handle = await stage.temporal.start_workflow(
            BareWorkflow.run,
            "nothing",
            id=f"bare-{uuid4()}",
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST_RUN,
        )
        await handle.result()
        return await _activity_ms(handle)

    await stage.run(*steps)  # The first of them makes the result.
    pairs = await measure(ours, bare, _ANY, _EFFORT)
    console.print(
        f"An activity that takes a result from the cache (ms): {spread([p.ours for p in pairs])}; "
        f"one that does nothing: {spread([p.baseline for p in pairs])}"
    )
    added = [pair.ours - pair.baseline for pair in pairs]
    return judge_median("A cache hit adds to a bare activity", added, "ms", ADDED)


async def _activity_ms(handle: WorkflowHandle) -> float:
    """How long an activity of a run took, in the mean, by the clock of the server."""
    scheduled: dict[int, float] = {}
    took_ms: list[float] = []
    async for event in handle.fetch_history_events():
        at = event.event_time.ToMilliseconds()
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled[event.event_id] = at
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                begun = event.activity_task_completed_event_attributes.scheduled_event_id
                took_ms.append(at - scheduled[begun])
    return sum(took_ms) / len(took_ms)
