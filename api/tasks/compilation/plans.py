"""A plan, compiled into one pipeline: the runs of its nodes, one after the other."""

from collections.abc import Collection, Iterator

from activities.store.reading.plan_runs import MAX_NODES, RecordedPlan
from api.tasks.compilation.branches import Branch, Branches, said_first
from api.tasks.compilation.compiling import MAX_BYTES, Compiled, Whole, compile_runs
from api.tasks.compilation.files import Given
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.obstacles import MAX_CALLS, RESULT, refusals
from api.tasks.compilation.readings import pointer_of
from api.tasks.compilation.words import Told
from workflows.pointers import Problem, escaped
from workflows.states import Status


def compile_plan(
    plan: RecordedPlan,
    tools: Tools,
    accepted: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Compiled:
    """One pipeline of all completed nodes, as ``compile_runs`` makes one of runs.

    The answers of nodes that only reason, the summaries of others and the result of the whole are
    in no file: they are left out.
    """
    if refused := list(_refusals(plan, tools)):
        return Compiled(problems=tuple(refused))
    run = plan.run
    told = Told(shared=(run.prompt, *run.inputs, *said_first(plan)))
    branches = Branches()
    links = {name: Given(name) for name in run.inputs}
    branches.add(Branch(plan, "", "", links, told))
    if not branches.parts:
        return Compiled(problems=(Problem("/nodes", "no node of the plan has made a call"),))
    of = f"the plan of task {run.task_id}"
    whole = Whole(run.name, of, "/nodes", run.inputs, tuple(_results(plan, tools)))
    return compile_runs(branches.parts, tools, accepted, max_bytes, whole)


def _refusals(plan: RecordedPlan, tools: Tools, prefix: str = "") -> Iterator[Problem]:
    """Why there is nothing to look at."""
    if plan.run.status is not Status.COMPLETED:
        message = f"the task is {plan.run.status}; it must be completed"
        yield Problem(f"{prefix}/status", message)
        return
    if plan.is_cut or plan.run.is_cut:
        message = f"the plan is too large to be looked through: at most {MAX_NODES} nodes"
        yield Problem(f"{prefix}/nodes", message)
        return
    for node in plan.nodes:
        at = f"{prefix}/nodes/{escaped(node.id)}"
        if node.status is not Status.COMPLETED:
            continue
        if node.work is None:
            yield Problem(at, "the task that ran this node is not there any more")
        elif isinstance(node.work, RecordedPlan):
            yield from _refusals(node.work, tools, at)
        else:
            yield from refusals(node.work, tools, at, is_node=True)
    if not prefix and _count_calls(plan, tools) > MAX_CALLS:
        message = f"the nodes did too much to be looked through: at most {MAX_CALLS} calls in all"
        yield Problem("/nodes", message)


def _count_calls(plan: RecordedPlan, tools: Tools) -> int:
    return sum(
        _count_calls(node.work, tools)
        if isinstance(node.work, RecordedPlan)
        else sum(map(tools.is_step, node.work.calls if node.work else ()))
        for node in plan.nodes
    )


def _results(plan: RecordedPlan, tools: Tools) -> Iterator[Problem]:
    """What planners left in the end, where that is more than a summary."""
    if plan.run.definition.get("output_schema"):
        message = "the model wrote the result of the task to a schema; a pipeline makes files only"
        yield Problem(RESULT, message)
    yield from _calls(plan, tools, "")


def _calls(plan: RecordedPlan, tools: Tools, prefix: str) -> Iterator[Problem]:
    """Those of planners themselves."""
    for call in filter(tools.is_step, plan.run.calls):
        message = "the planner made this call, which may be of what it had read in results"
        yield Problem(pointer_of(call, prefix), message)
    for node in plan.nodes:
        if isinstance(node.work, RecordedPlan):
            yield from _calls(node.work, tools, f"{prefix}/nodes/{escaped(node.id)}")
