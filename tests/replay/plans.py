"""Plans whose histories are kept: everything is the true stack, but for what the model says."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from tests.doubles.scripted_models import ScriptedModels, Wanted, asks, finishes
from tests.live import Live, held, release
from tests.replay.marks import CONTENT, PROMPT, TITLE, WORDS
from workflows.states import FINAL

PlanNode = Mapping[str, JsonValue]

# A plan of so many nodes has more events than a run may have when one continues as new.
MANY_NODES = 50

FAIL = "raise SystemExit(3)"
FAIL_UNLESS_MENDED = (
    "import os, sys; sys.exit('mended' not in open(os.environ['INPUT_DATA']).read())"
)
SLEEP = "import time; time.sleep(600)"


def node(name: str, *depends_on: str, source: str = "print(1)", **more: JsonValue) -> PlanNode:
    """A node that runs a few lines of Python."""
    return coded(name, {"language": "python", "source": source}, *depends_on, **more)


def coded(name: str, code: object, *depends_on: str, **more: Any) -> PlanNode:
    step = {"id": "only", "code": code}
    return {
        "id": name,
        "title": f"Part {name}",
        "description": CONTENT,
        "kind": "pipeline",
        "depends_on": list(depends_on),
        "steps": [step],
        **more,
    }


def makes(*nodes: PlanNode) -> Wanted:
    return "make_plan", {"nodes": [dict(node) for node in nodes], "reason": WORDS}


async def _begin(
    live: Live, models: ScriptedModels, *calls: Wanted, inputs: object = None, **plan: object
) -> str:
    """The planner makes these calls, one a turn, and then finishes, where it is asked to."""
    talk = models.conversation(*map(asks, calls), finishes(WORDS))
    prompt = talk.prompt(f"{TITLE} {PROMPT}")
    return await live.submit_plan(prompt, inputs=inputs, **plan)


async def _completed(live: Live, models: ScriptedModels) -> str:
    """Two branches, one of them a model's, a join, and a node that stands alone."""
    talk = models.conversation(finishes(WORDS))
    reasons: PlanNode = {
        "id": "b",
        "title": "Part b",
        "description": talk.prompt(CONTENT),
        "kind": "reasoning",
    }
    made = makes(node("a"), reasons, node("join", "a", "b"), node("alone"))
    return await _begin(live, models, made)


async def _revised(live: Live, models: ScriptedModels) -> str:
    made = makes(node("a", source=FAIL), node("b", "a"), node("c"))
    added, rewired = node("mended"), node("b", "mended")
    revised = ("revise_plan", {"reason": WORDS, "add": [added], "rewire": [rewired]})
    return await _begin(live, models, made, revised)


async def _blocked(live: Live, models: ScriptedModels) -> str:
    made = makes(node("a", source=FAIL), node("b", "a"), node("c"))
    return await _begin(live, models, made, replans=0)


async def _resumed(live: Live, models: ScriptedModels) -> str:
    """The run of a retry by a person, with an input that was mended."""
    broken = node("a", source=FAIL_UNLESS_MENDED, inputs={"data": "${inputs.data}"})
    made = makes(broken, node("b", "a"), node("c"))
    inputs = {"data": await live.upload("data.txt", b"broken")}
    task_id = await _begin(live, models, made, inputs=inputs, replans=0)
    assert (await live.ended(task_id))["status"] == "blocked"
    mended = {"data": await live.upload("data.txt", b"mended")}
    assert await live.post(task_id, "retry", inputs=mended) == 202
    await live.when(task_id, lambda task: task["status"] not in FINAL or task["result"])
    return task_id


async def _cancelled(live: Live, models: ScriptedModels) -> str:
    made = makes(node("a", source=SLEEP), node("b", source=SLEEP), node("c", "a"))
    task_id = await _begin(live, models, made)
    await live.when(task_id, lambda task: len(running(task)) == 2)
    await live.post(task_id, "cancel")
    return task_id


async def _paused(live: Live, models: ScriptedModels) -> str:
    step, word = held("only")
    made = makes(coded("a", step["code"], steps=[step]), node("b", "a"), node("c"))
    task_id = await _begin(live, models, made)
    await live.when(task_id, lambda task: running(task) == ["a"])
    await live.post(task_id, "pause")
    await live.when(task_id, lambda task: bool(task["status"] == "paused"))
    await live.post(task_id, "resume")
    await live.when(task_id, lambda task: bool(task["status"] == "running"))
    await release(word)
    return task_id


async def _nested(live: Live, models: ScriptedModels) -> str:
    """A node that is a plan of its own, whose only sink is its result."""
    inner = models.conversation(asks(makes(node("x"), node("y", "x"))))
    outer: PlanNode = {
        "id": "large",
        "title": "Part large",
        "description": inner.prompt(CONTENT),
        "kind": "plan",
        "size": "large",
    }
    return await _begin(live, models, makes(outer, node("b")), depth=2)


async def _continued(live: Live, models: ScriptedModels) -> str:
    made = makes(*(node(f"n{number}") for number in range(MANY_NODES)))
    return await _begin(live, models, made, max_nodes=MANY_NODES)


def running(task: Mapping[str, Any]) -> Sequence[str]:
    return [part["name"] for part in task["sub_tasks"] if part["status"] == "running"]


SCENES: dict[str, Callable[[Live, ScriptedModels], Awaitable[str]]] = {
    "plan-completed": _completed,
    "plan-revised": _revised,
    "plan-blocked": _blocked,
    "plan-resumed": _resumed,
    "plan-cancelled": _cancelled,
    "plan-listed": _paused,
    "plan-paused": _paused,
    "plan-nested": _nested,
    "plan-continued": _continued,
}
