"""An agent's run of many turns with long results: does it end, and does the worker stay small?"""

from collections.abc import Mapping

from tests.benchmarks.history import costs_of_runs
from tests.benchmarks.judgement import Verdict
from tests.benchmarks.model import call, finish
from tests.benchmarks.processes import resident_mib
from tests.benchmarks.report import judge
from tests.benchmarks.stage import Stage
from tests.benchmarks.turns import alternately

TURNS = 500
RESULT_BYTES = 5_000
# Until then caches fill, also with the long prompts of this very run.
SETTLED_TURN = 100
MOST_GROWTH_MIB = 32


async def five_hundred_turns(stage: Stage) -> Verdict:
    """500 turns, each of which reads 5 KB of a file."""
    text = "One line of many, and like all others.\n" * (RESULT_BYTES // 39)
    files = {name: await stage.upload(f"{name}.txt", text.encode()) for name in ("one", "two")}
    replies = [call("read_file", file=alternately(turn, "one", "two")) for turn in range(TURNS)]
    model = await stage.models.add("long", [*replies, finish()])
    workflow_id = await stage.submit_agent(model, **files)
    memory = await _memory_by_turn(stage, workflow_id)
    runs = await costs_of_runs(stage, workflow_id)
    result = await stage.temporal.get_workflow_handle(workflow_id).result()
    turns = result["turns"]
    told = ", ".join(f"{run.events:,} events of {run.bytes / 1_000:,.0f} KB" for run in runs)
    is_complete = judge(
        f"{turns} turns with results of {RESULT_BYTES // 1_000} KB, in {len(runs)} runs: {told}",
        kept=turns == TURNS + 1 and len(runs) > 1,
        bound=f"all {TURNS + 1}, continued as new",
    )
    return max(_is_flat(memory), is_complete)


async def _memory_by_turn(stage: Stage, workflow_id: str) -> Mapping[int, float]:
    """What the worker holds as each turn begins, in MiB."""
    worker = stage.pid_of("worker")
    memory: dict[int, float] = {}
    async for event in stage.events(workflow_id):
        if event.type == "turn.started":
            memory[int(str(event.data["turn"]))] = resident_mib(worker)
    return memory


def _is_flat(memory: Mapping[int, float]) -> Verdict:
    grown = max(mib for turn, mib in memory.items() if turn >= SETTLED_TURN) - memory[SETTLED_TURN]
    shown = ", ".join(
        f"{memory[turn]:.0f} MiB at turn {turn}" for turn in (1, SETTLED_TURN, TURNS // 2, TURNS)
    )
    return judge(
        f"Memory of the worker meanwhile: {shown}; it grew by {grown:.0f} MiB at most after turn "
        f"{SETTLED_TURN}",
        kept=grown < MOST_GROWTH_MIB,
        bound=f"< {MOST_GROWTH_MIB}",
    )
